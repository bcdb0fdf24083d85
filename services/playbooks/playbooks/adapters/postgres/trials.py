"""The table `trials`: entries as the measurement of effects sees them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from playbooks.adapters.postgres.columns import insert, names_of, parameters, unnested
from playbooks.domain.trial import Trial

_COLUMNS = names_of(Trial)
_CHANGING = ("goal_reached_at", "recovered_at")

_ADD = text(insert("trials", Trial))

_UPDATE = text(f"""
UPDATE trials SET {", ".join(f"{name} = t.{name}" for name in _CHANGING)}
FROM {unnested(("id", *_CHANGING))} WHERE trials.id = t.id
""")  # noqa: S608  (names of our own fields, here and below)

# The condition implies the one of the index trials_account, which holds the unfinished alone.
UNFINISHED = f"""
SELECT {", ".join(_COLUMNS)} FROM trials
WHERE account_id = ANY(CAST(:accounts AS text[]))
  AND (recovered_at IS NULL OR (goal_reached_at IS NULL AND window_ends_at >= :now))
ORDER BY entered_at, id
"""  # noqa: S608
_UNFINISHED = text(UNFINISHED)

_LAST_ENTRIES = text("""
SELECT account_id, playbook, max(at) AS at FROM (
    SELECT account_id, playbook, started_at AS at FROM runs
    WHERE account_id = ANY(CAST(:accounts AS text[])) AND position > 0
    UNION ALL
    SELECT account_id, playbook, entered_at FROM trials
    WHERE account_id = ANY(CAST(:accounts AS text[])) AND arm = 'held_out'
) AS entered GROUP BY account_id, playbook
""")


class PostgresTrials:
    """Implements ports.Trials."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, trials: Sequence[Trial]) -> None:
        """Write them down."""
        if trials:
            await self._tx.execute(_ADD, parameters(trials, _COLUMNS))

    async def update(self, trials: Sequence[Trial]) -> None:
        """Write what has become of them: the goal, and the way back."""
        if trials:
            await self._tx.execute(_UPDATE, parameters(trials, ("id", *_CHANGING)))

    async def unfinished(self, account_ids: Collection[str], now: datetime) -> list[Trial]:
        """Trials of the accounts whose goal is open in its window, or that have not recovered; by entry."""
        if not account_ids:
            return []
        rows = await self._tx.execute(_UNFINISHED, {"accounts": list(account_ids), "now": now})
        return [Trial(**row._mapping) for row in rows]

    async def last_entries(self, account_ids: Collection[str]) -> Mapping[tuple[str, str], datetime]:
        """Account and playbook → when it last entered: was held out, or began a run that took a step."""
        if not account_ids:
            return {}
        rows = await self._tx.execute(_LAST_ENTRIES, {"accounts": list(account_ids)})
        return {(row.account_id, row.playbook): row.at for row in rows}
