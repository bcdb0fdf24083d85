"""Erasures over all tables: the directory, notifications with their attempts, and when accounts were erased."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters import notification_rows as rows
from notifier.adapters.policy_erasures import forget
from notifier.application.ports import Erased
from notifier.domain.notification import Notification

# What is told of scores, measures and events goes with the context; the ids that led to the message stay.
_BLANK_CONTENT = "context = '{}', chain = chain - CAST('{entered,steps,crossing}' AS text[])"

# Whatever is not final has an instant at which it needs somebody. A sender that has one in hand finds it gone when it is done.
_CANCEL = f"""
    status = 'cancelled', reason = 'erased', wake_at = NULL, lease_owner = NULL, finished_at = t.erased_at, {_BLANK_CONTENT}
"""
_BLANK = f"{_BLANK_CONTENT}, reason = CASE WHEN reason IS NOT NULL THEN 'erased' END"
_NOT_BLANK = "wake_at IS NULL AND (context <> '{}' OR reason <> 'erased')"

_CONTACTS = """
unnest(CAST(:accounts AS text[]), CAST(:contacts AS text[]), CAST(:times AS timestamptz[]))
    AS t(account_id, contact_id, erased_at)
"""
_ACCOUNTS = "unnest(CAST(:accounts AS text[]), CAST(:times AS timestamptz[])) AS t(account_id, erased_at)"

_FOR_THEM = "n.account_id = t.account_id AND n.requested_at <= t.erased_at"
_AS_CONTACT = "jsonb_build_object('kind', 'contact', 'value', t.contact_id)"

_CANCEL_CONTACTS = text(f"""
UPDATE notifications n SET {_CANCEL} FROM {_CONTACTS}
WHERE {_FOR_THEM} AND wake_at IS NOT NULL AND recipients @> jsonb_build_array({_AS_CONTACT})
  AND NOT EXISTS (SELECT FROM jsonb_array_elements(recipients) AS wanted WHERE NOT wanted @> {_AS_CONTACT})
RETURNING n.*
""")  # noqa: S608  (constants, here and below)

_OF_CONTACTS = text(f"""
SELECT n.id FROM notifications n JOIN {_CONTACTS} ON {_FOR_THEM}
WHERE recipient_contact_id = t.contact_id OR recipients @> jsonb_build_array({_AS_CONTACT})
ORDER BY n.id FOR UPDATE OF n
""")  # noqa: S608

_CANCEL_ACCOUNTS = text(f"""
UPDATE notifications n SET {_CANCEL} FROM {_ACCOUNTS} WHERE {_FOR_THEM} AND wake_at IS NOT NULL RETURNING n.*
""")  # noqa: S608

_OF_ACCOUNTS = text(f"""
SELECT n.id FROM notifications n JOIN {_ACCOUNTS} ON {_FOR_THEM} ORDER BY n.id FOR UPDATE OF n
""")  # noqa: S608

_BLANK_NOTIFICATIONS = text(f"""
UPDATE notifications SET {_BLANK} WHERE id = ANY(CAST(:ids AS text[])) AND {_NOT_BLANK}
""")  # noqa: S608

_BLANK_ATTEMPTS = text("""
UPDATE attempts SET detail = NULL WHERE notification_id = ANY(CAST(:ids AS text[])) AND detail IS NOT NULL
""")

_END_ATTEMPTS = text("""
UPDATE attempts SET outcome = 'unknown', ended_at = now() WHERE notification_id = ANY(CAST(:ids AS text[])) AND outcome IS NULL
""")

_DELETE_CONTACTS = text(f"""
DELETE FROM contacts n USING {_ACCOUNTS} WHERE n.account_id = t.account_id AND recorded_at <= t.erased_at
""")  # noqa: S608

_REMEMBER = text("""
INSERT INTO erasures (account_id, erased_at)
SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:times AS timestamptz[]))
ON CONFLICT (account_id) DO UPDATE SET erased_at = greatest(erasures.erased_at, EXCLUDED.erased_at)
""")

_ERASED_AT = text(
    "SELECT account_id, erased_at FROM erasures WHERE account_id = ANY(CAST(:accounts AS text[]))"
)


class PostgresErasures:
    """Erasures in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def of_contacts(self, contacts: Mapping[tuple[str, str], datetime]) -> Erased:
        """Forget what was said to them; what was for nobody else is cancelled."""
        them = {
            "accounts": [account for account, _ in contacts],
            "contacts": [contact for _, contact in contacts],
            "times": list(contacts.values()),
        }
        cancelled = await self._cancelled(_CANCEL_CONTACTS, them)
        ids = list(await self._tx.scalars(_OF_CONTACTS, them))
        await forget(self._tx, ids, them)
        return await self._blank(ids, cancelled, contacts=0)

    async def of_accounts(self, accounts: Mapping[str, datetime]) -> Erased:
        """Forget everybody of the accounts and what was said about them, and cancel what was asked for."""
        them = {"accounts": list(accounts), "times": list(accounts.values())}
        await self._tx.execute(_REMEMBER, them)
        deleted = await self._tx.execute(_DELETE_CONTACTS, them)
        cancelled = await self._cancelled(_CANCEL_ACCOUNTS, them)
        ids = list(await self._tx.scalars(_OF_ACCOUNTS, them))
        await forget(self._tx, ids, them)
        return await self._blank(ids, cancelled, contacts=deleted.rowcount)

    async def erased_at(self, account_ids: Collection[str]) -> Mapping[str, datetime]:
        """When those of the accounts that ever were erased were so last."""
        found = await self._tx.execute(_ERASED_AT, {"accounts": sorted(account_ids)})
        return {row.account_id: row.erased_at for row in found}

    async def _cancelled(self, statement: Any, them: Mapping[str, Any]) -> list[Notification]:
        found = [rows.notification(row) for row in await self._tx.execute(statement, them)]
        await self._tx.execute(_END_ATTEMPTS, {"ids": [each.id for each in found]})
        return found

    async def _blank(self, ids: Sequence[str], cancelled: Sequence[Notification], *, contacts: int) -> Erased:
        blanked = await self._tx.execute(_BLANK_NOTIFICATIONS, {"ids": ids})
        attempts = await self._tx.execute(_BLANK_ATTEMPTS, {"ids": ids})
        return Erased(contacts, blanked.rowcount + len(cancelled), attempts.rowcount, cancelled)
