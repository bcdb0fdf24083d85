"""The table of persons who are not to be written to: pseudonyms, so that it outlives an erasure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters.contact_history import lock
from notifier.domain.policy import Suppression

_COLUMNS = "id, person, category, reason, since, account_id, contact_id, notification_id, note"

_OF = text(f"""
SELECT {_COLUMNS} FROM suppressions WHERE person = ANY(CAST(:persons AS text[])) AND lifted_at IS NULL ORDER BY since, id
""")  # noqa: S608  (constants, here and below)

_ADD = text(f"""
INSERT INTO suppressions ({_COLUMNS})
SELECT DISTINCT ON (t.id) t.* FROM unnest(CAST(:id AS text[]), CAST(:person AS text[]), CAST(:category AS text[]),
    CAST(:reason AS text[]), CAST(:since AS timestamptz[]), CAST(:account_id AS text[]), CAST(:contact_id AS text[]),
    CAST(:notification_id AS text[]), CAST(:note AS text[])) AS t({_COLUMNS})
WHERE NOT EXISTS (
    SELECT FROM suppressions s WHERE s.person = t.person AND s.reason = t.reason AND s.lifted_at IS NULL
      AND s.category IS NOT DISTINCT FROM t.category)
ON CONFLICT (id) DO UPDATE SET lifted_at = NULL, since = EXCLUDED.since WHERE suppressions.lifted_at IS NOT NULL
""")  # noqa: S608

_LIFT = text("""
UPDATE suppressions SET lifted_at = :now
WHERE person = :person AND reason = 'unsubscribed' AND lifted_at IS NULL
  AND category IS NOT DISTINCT FROM CAST(:category AS text)
""")

_PAGE = text(f"""
SELECT {_COLUMNS} FROM suppressions WHERE lifted_at IS NULL
  AND (CAST(:account_id AS text) IS NULL OR account_id = CAST(:account_id AS text))
  AND (CAST(:contact_id AS text) IS NULL OR contact_id = CAST(:contact_id AS text))
  AND (CAST(:category AS text) IS NULL OR category = CAST(:category AS text))
  AND (CAST(:reason AS text) IS NULL OR reason = CAST(:reason AS text))
  AND (CAST(:at AS timestamptz) IS NULL OR (since, id) < (CAST(:at AS timestamptz), CAST(:id AS text)))
ORDER BY since DESC, id DESC LIMIT :limit
""")  # noqa: S608

_REMOVE = text("UPDATE suppressions SET lifted_at = :now WHERE id = :id AND lifted_at IS NULL")


class PostgresSuppressions:
    """Suppressions in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def of(self, persons: Collection[str]) -> Mapping[str, Sequence[Suppression]]:
        """Those in force, by person; persons without any are absent."""
        found: dict[str, list[Suppression]] = {}
        if persons:
            for row in await self._tx.execute(_OF, {"persons": sorted(persons)}):
                found.setdefault(row.person, []).append(_suppression(row))
        return found

    async def add(self, suppressions: Sequence[Suppression]) -> None:
        """In force from now on, also one that was lifted before; one that is in force already is left as it is.

        Waits for those who are just deciding about the persons, so that whoever decides after the commit knows of it. Add all
        of a transaction at once.
        """
        if not suppressions:
            return
        await lock(self._tx, {each.person for each in suppressions})
        ordered = {(each.person, each.category, each.reason): each for each in suppressions}.values()
        names = _COLUMNS.split(", ")
        await self._tx.execute(_ADD, {name: [getattr(each, name) for each in ordered] for name in names})

    async def lift(self, person: str, category: str | None, now: datetime) -> None:
        """The person wants to hear of it again: what a person said no to themselves is over; bounces and complaints are not.

        With a category what was said of all categories stays, and the other way round.
        """
        await self._tx.execute(_LIFT, {"person": person, "category": category, "now": now})

    async def page(
        self,
        account_id: str | None,
        reason: str | None,
        before: tuple[datetime, str] | None,
        limit: int,
        *,
        contact_id: str | None = None,
        category: str | None = None,
    ) -> Sequence[Suppression]:
        """Those in force, newest first; `before` is the moment and the id of the last one of the page before."""
        at, last = before or (None, None)
        wanted = {"account_id": account_id, "contact_id": contact_id, "category": category, "reason": reason}
        found = await self._tx.execute(_PAGE, {**wanted, "at": at, "id": last, "limit": limit})
        return [_suppression(row) for row in found]

    async def remove(self, suppression_id: str, now: datetime) -> bool:
        """An operator lifts one; False where there is none in force with that id."""
        removed = await self._tx.execute(_REMOVE, {"id": suppression_id, "now": now})
        return removed.rowcount > 0


def _suppression(row: Row[Any]) -> Suppression:
    return Suppression(**row._mapping)
