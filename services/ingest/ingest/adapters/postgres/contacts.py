"""The table of contacts: all that was told of each, so that its record on the compacted topic is always whole."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.contracts.contacts import PERSONAL_FIELDS, ContactRecorded
from ingest.application.ports import ContactChange
from ingest.domain.contacts import KnownContact, Told, contact_id_problem

# Rows are made and locked in one order, so that no two transactions wait for each other.
_MAKE = text("""
INSERT INTO contacts (account_id, contact_id, told_at)
SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:contacts AS text[]), CAST(:times AS timestamptz[]))
ON CONFLICT DO NOTHING
""")

_LOCK = text("""
SELECT account_id, contact_id, told_at, details::text AS details, consents::text AS consents
FROM contacts JOIN unnest(CAST(:accounts AS text[]), CAST(:contacts AS text[])) AS t(account_id, contact_id)
    USING (account_id, contact_id)
ORDER BY account_id, contact_id FOR UPDATE OF contacts
""")

_SAVE = text("""
UPDATE contacts SET told_at = t.told_at, details = t.details::jsonb, consents = t.consents::jsonb
FROM unnest(CAST(:accounts AS text[]), CAST(:contacts AS text[]), CAST(:times AS timestamptz[]), CAST(:details AS text[]),
    CAST(:consents AS text[])) AS t(account_id, contact_id, told_at, details, consents)
WHERE contacts.account_id = t.account_id AND contacts.contact_id = t.contact_id
""")

_TAKE_OUT = text("""
DELETE FROM contacts WHERE contact_id = ANY(CAST(:contacts AS text[]))
RETURNING account_id, contact_id, told_at, details::text AS details, consents::text AS consents
""")

Key = tuple[str, str]
"""Account and contact."""

_FIELDS = (*PERSONAL_FIELDS, "role", "active")
_decode = msgspec.json.Decoder(dict[str, Told]).decode
_encode = msgspec.json.Encoder().encode


class PostgresContacts:
    """Contacts in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def merge(self, changes: Sequence[ContactChange]) -> Sequence[ContactRecorded]:
        """Take changes in and give back each contact as it is now, as of the newest that was told of it."""
        return list((await self._merge((_key(each), _told(each)) for each in changes)).values())

    async def move(self, names: Mapping[str, str]) -> Sequence[tuple[ContactRecorded, ContactRecorded]]:
        """Contacts by old contact id that are really another id of the same account: pairs of what was and what is now.

        A name that can be no contact's id takes none over.
        """
        wanted = {old: new for old, new in names.items() if old != new and contact_id_problem(new) is None}
        rows = await self._tx.execute(_TAKE_OUT, {"contacts": sorted(wanted)})
        found = sorted(((row.account_id, row.contact_id), _known(row)) for row in rows)
        now = await self._merge(((account, wanted[old]), known) for (account, old), known in found)
        return [(_contact(key, known), now[key[0], wanted[key[1]]]) for key, known in found]

    async def _merge(self, told: Iterable[tuple[Key, KnownContact]]) -> dict[Key, ContactRecorded]:
        changes = list(told)
        keys = sorted({key for key, _ in changes})
        if not keys:
            return {}
        columns = {"accounts": [account for account, _ in keys], "contacts": [contact for _, contact in keys]}
        first = dict(reversed(changes))
        await self._tx.execute(_MAKE, columns | {"times": [first[key].told_at for key in keys]})
        rows = await self._tx.execute(_LOCK, columns)
        known = {(row.account_id, row.contact_id): _known(row) for row in rows}
        for key, change in changes:
            known[key] = known[key].merged(change)
        merged = [known[key] for key in keys]
        values = {
            "times": [each.told_at for each in merged],
            "details": [_encode(each.details).decode() for each in merged],
            "consents": [_encode(each.consents).decode() for each in merged],
        }
        await self._tx.execute(_SAVE, columns | values)
        return {key: _contact(key, known[key]) for key, _ in changes}


def _key(change: ContactChange) -> Key:
    return change.contact.account_id, change.contact.contact_id


def _told(change: ContactChange) -> KnownContact:
    fields = {name: getattr(change.contact, name) for name in _FIELDS}
    return KnownContact(
        {name: Told(value, change.time) for name, value in fields.items() if value is not None},
        {name: Told(value, change.time) for name, value in (change.contact.consents or {}).items()},
        change.time,
    )


def _known(row: Any) -> KnownContact:
    return KnownContact(_decode(row.details), _decode(row.consents), row.told_at)


def _contact(key: Key, known: KnownContact) -> ContactRecorded:
    return ContactRecorded(
        account_id=key[0],
        contact_id=key[1],
        **{name: told.value for name, told in known.details.items()},
        consents={name: told.value for name, told in known.consents.items()} or None,
        as_of=known.told_at,
    )
