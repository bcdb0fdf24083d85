"""What an erasure means for the contact policy's tables: history and reasons go, suppressions stay as bare pseudonyms.

A suppression must outlive the erasure, or whoever asked to be left alone would be written to once they are known again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_THESE = "ANY(CAST(:ids AS text[]))"

_HISTORY = text(f"DELETE FROM contacted WHERE notification_id = {_THESE}")  # noqa: S608  (constants, here and below)

_REASONS = text(f"""
UPDATE decisions SET reason = 'erased' WHERE notification_id = {_THESE} AND reason <> 'erased'
""")  # noqa: S608

_PERSONS = text(f"""
UPDATE notifications SET person = NULL WHERE id = {_THESE} AND wake_at IS NULL AND person IS NOT NULL
""")  # noqa: S608

# Digests about other accounts may tell of what is erased, too.
_DIGESTS = text(f"""
SELECT d.id FROM notifications d
WHERE d.id IN (SELECT folded_into FROM notifications WHERE id = {_THESE}) AND d.context -> 'items' IS NOT NULL
ORDER BY d.id FOR UPDATE
""")  # noqa: S608

_STRIP = text("""
UPDATE notifications SET context = jsonb_set(context, '{items}', coalesce((
    SELECT jsonb_agg(item.value ORDER BY item.ordinality)
    FROM jsonb_array_elements(context -> 'items') WITH ORDINALITY AS item
    WHERE item.value ->> 'notification_id' <> ALL(CAST(:ids AS text[]))), '[]'))
WHERE id = ANY(CAST(:digests AS text[]))
""")

_CANCEL_EMPTY = text("""
UPDATE notifications
SET status = 'cancelled', reason = 'erased', wake_at = NULL, held_by = NULL, lease_owner = NULL, finished_at = now()
WHERE id = ANY(CAST(:digests AS text[])) AND wake_at IS NOT NULL AND context -> 'items' = '[]'
""")

_UNNAMED = f"""
UPDATE suppressions s SET account_id = NULL, contact_id = NULL, notification_id = NULL, note = NULL
WHERE s.notification_id = {_THESE} OR EXISTS
"""  # noqa: S608
_ACCOUNTS = "CAST(:accounts AS text[])"
_TIMES = "CAST(:times AS timestamptz[])"

_OF_ACCOUNTS = text(f"""{_UNNAMED} (
    SELECT FROM unnest({_ACCOUNTS}, {_TIMES}) AS t(account_id, erased_at)
    WHERE t.account_id = s.account_id AND s.since <= t.erased_at)
""")

_OF_CONTACTS = text(f"""{_UNNAMED} (
    SELECT FROM unnest({_ACCOUNTS}, CAST(:contacts AS text[]), {_TIMES}) AS t(account_id, contact_id, erased_at)
    WHERE t.account_id = s.account_id AND t.contact_id = s.contact_id AND s.since <= t.erased_at)
""")


async def forget(tx: AsyncConnection, ids: Sequence[str], them: Mapping[str, Any]) -> None:
    """Forget what is known of these notifications, and of whom `them` names: `accounts`, perhaps `contacts`, and `times`."""
    these = {"ids": ids}
    await tx.execute(_OF_CONTACTS if "contacts" in them else _OF_ACCOUNTS, {**them, **these})
    if not ids:
        return
    for statement in (_HISTORY, _REASONS, _PERSONS):
        await tx.execute(statement, these)
    digests = list(await tx.scalars(_DIGESTS, these))
    if digests:
        await tx.execute(_STRIP, {**these, "digests": digests})
        await tx.execute(_CANCEL_EMPTY, {"digests": digests})
