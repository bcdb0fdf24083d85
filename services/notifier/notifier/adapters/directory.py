"""The contact directory's table: the only place with addresses, so that erasing a row forgets the person."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.application.ports import DirectoryEntry
from notifier.domain.recipients import Contact

# In `a || b` the fields of b win: those of the newer record, and those of the record itself where both are of one moment.
_RECORD = text("""
INSERT INTO contacts (account_id, contact_id, record_key, recorded_at, details, consents)
VALUES (:account_id, :contact_id, :record_key, :recorded_at, CAST(:details AS jsonb), CAST(:consents AS jsonb))
ON CONFLICT (account_id, contact_id) DO UPDATE SET
    record_key = EXCLUDED.record_key,
    recorded_at = greatest(contacts.recorded_at, EXCLUDED.recorded_at),
    details = CASE WHEN EXCLUDED.recorded_at >= contacts.recorded_at
        THEN contacts.details || EXCLUDED.details ELSE EXCLUDED.details || contacts.details END,
    consents = CASE WHEN EXCLUDED.recorded_at >= contacts.recorded_at
        THEN contacts.consents || EXCLUDED.consents ELSE EXCLUDED.consents || contacts.consents END
""")

_ERASE = text("DELETE FROM contacts WHERE record_key = ANY(CAST(:keys AS bytea[]))")

_OF_ACCOUNTS = text("""
SELECT account_id, contact_id, details, consents FROM contacts WHERE account_id = ANY(CAST(:account_ids AS text[]))
""")

_FIELDS = ("name", "email", "phone", "chat_handle", "timezone", "locale", "role", "active")
_READ = ("name", "email", "chat_handle", "timezone", "locale", "role", "active")


class PostgresDirectory:
    """The directory in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def record(self, entries: Sequence[DirectoryEntry]) -> None:
        """Take entries in: a newer one replaces the fields it has, an older one only fills those that are unknown."""
        if entries:
            await self._tx.execute(_RECORD, [_row(each) for each in entries])

    async def erase(self, keys: Sequence[bytes]) -> None:
        """Forget the contacts told under these keys."""
        await self._tx.execute(_ERASE, {"keys": list(keys)})

    async def of_accounts(self, account_ids: Collection[str]) -> Mapping[str, Sequence[Contact]]:
        """The contacts of each account; accounts without any are absent."""
        found: dict[str, list[Contact]] = {}
        for row in await self._tx.execute(_OF_ACCOUNTS, {"account_ids": sorted(account_ids)}):
            found.setdefault(row.account_id, []).append(_contact(row.contact_id, row.details, row.consents))
        return found


def _row(entry: DirectoryEntry) -> dict[str, Any]:
    contact = entry.contact
    return {
        "account_id": contact.account_id,
        "contact_id": contact.contact_id,
        "record_key": entry.key,
        "recorded_at": entry.recorded_at,
        "details": _json({name: value for name in _FIELDS if (value := getattr(contact, name)) is not None}),
        "consents": _json(contact.consents or {}),
    }


def _contact(contact_id: str, details: dict[str, Any], consents: dict[str, bool]) -> Contact:
    known = {name: details[name] for name in _READ if name in details}
    return Contact(contact_id=contact_id, consents=consents, **known)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
