"""What a playbook has done, counted in PostgreSQL: an answer is a few grouped rows, however many trials there are."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from playbooks.adapters.definitions import decode_definition
from playbooks.adapters.postgres.moment import RANGE, asked, moment
from playbooks.application.effect import (
    ArmMeasured,
    ExitKind,
    Measured,
    Money,
    PathTally,
    RunCounts,
    Version,
    Wanted,
    exit_kind,
)
from playbooks.domain.effect import Arms, Tally
from playbooks.domain.recovery import Observed
from playbooks.domain.trial import Arm

_VERSIONS = text("""
SELECT version, active, definition::text AS definition FROM playbooks WHERE name = :playbook ORDER BY version DESC
""")

# The index runs_playbook; the beginning of a reason tells its kind, and there are few beginnings.
_RUNS = text(f"""
SELECT status, CASE status WHEN 'exited' THEN left(reason, 14) END AS begins, exit_crossing_id IS NOT NULL AS by_crossing,
    count(*) AS runs
FROM runs WHERE {RANGE.format(at="started_at")} GROUP BY 1, 2, 3
""")  # noqa: S608  (names of our own columns, here and below)

_HELD_OUT = text(f"""
SELECT count(*) FROM trials WHERE {RANGE.format(at="entered_at")} AND arm = 'held_out'
""")  # noqa: S608

# Each account once an arm, by its first entry: the index trials_playbook, then a sort.
_FIRST = f"""
WITH first AS (
    SELECT DISTINCT ON (arm, account_id) trials.*, coalesce(window_ends_at <= :now, false) AS matured,
        goal_reached_at IS NOT NULL AS reached
    FROM trials WHERE {RANGE.format(at="entered_at")} ORDER BY arm, account_id, entered_at, id
)
"""  # noqa: S608

# In the order in which the windows end, so that what matures later never takes the place of what was in the sample before.
_TALLIES = text(f"""{_FIRST}
SELECT arm, count(*) AS entered,
    count(*) FILTER (WHERE matured) AS matured,
    count(*) FILTER (WHERE matured AND reached) AS reached,
    count(*) FILTER (WHERE NOT matured AND reached) AS reached_early,
    count(*) FILTER (WHERE matured AND nth <= planned) AS planned,
    count(*) FILTER (WHERE matured AND nth <= planned AND reached) AS planned_reached
FROM (
    SELECT arm, matured, reached, row_number() OVER (PARTITION BY arm, matured ORDER BY window_ends_at, id) AS nth,
        CASE arm WHEN 'treated' THEN CAST(:treated AS int) ELSE CAST(:held_out AS int) END AS planned
    FROM first
) AS numbered GROUP BY arm
""")  # noqa: S608

_OBSERVED = text(f"""{_FIRST}
SELECT arm, hours, count(*) FILTER (WHERE recovered) AS recovered, count(*) FILTER (WHERE NOT recovered) AS waiting
FROM (
    SELECT arm, recovered_at IS NOT NULL AS recovered, CAST(CASE
        WHEN recovered_at IS NULL THEN floor(extract(epoch FROM greatest(:now, entered_at) - entered_at) / 3600)
        ELSE ceil(extract(epoch FROM recovered_at - entered_at) / 3600) END AS int) AS hours
    FROM first
) AS aged GROUP BY arm, hours
""")  # noqa: S608

_REVENUE = text(f"""{_FIRST}
SELECT arm, currency, count(*) AS accounts, sum(revenue) AS entered,
    coalesce(sum(revenue) FILTER (WHERE recovered_at IS NULL AND goal_reached_at IS NULL), 0) AS at_stake
FROM first WHERE revenue IS NOT NULL GROUP BY arm, currency ORDER BY currency
""")  # noqa: S608

_IN_BOTH = text(f"""{_FIRST}
SELECT count(*) FROM (SELECT account_id FROM first GROUP BY account_id HAVING count(*) > 1) AS both_arms
""")  # noqa: S608

_PATHS = text(f"""{_FIRST}
SELECT step, path, count(*) AS entered, count(*) FILTER (WHERE matured) AS matured,
    count(*) FILTER (WHERE matured AND reached) AS reached
FROM first JOIN run_steps ON run_steps.run_id = first.id AND run_steps.kind = 'split'
WHERE path IS NOT NULL GROUP BY step, path ORDER BY min(run_steps.position), step, path
""")  # noqa: S608


class PostgresEffects:
    """Implements application.effect.Effects; all that one answer counts is of one moment."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def versions(self, playbook: str) -> Sequence[Version]:
        """All versions, the newest first; none where nobody knows the playbook."""
        async with moment(self._engine) as connection:
            rows = await connection.execute(_VERSIONS, {"playbook": playbook})
            return [
                Version(version=row.version, active=row.active, definition=decode_definition(row.definition))
                for row in rows
            ]

    async def measure(self, wanted: Wanted, planned: Arms, now: datetime) -> Measured:
        """Everything counted at one moment; the tallies count the first `planned` that matured by themselves."""
        values = asked(wanted) | {"now": now, "treated": planned.treated, "held_out": planned.held_out}
        async with moment(self._engine) as connection:
            runs = await self._runs(connection, values)
            arms = await self._arms(connection, values)
            in_both = await connection.scalar(_IN_BOTH, values)
            paths = [PathTally(**row._mapping) for row in await connection.execute(_PATHS, values)]
        return Measured(
            runs=runs,
            treated=arms["treated"],
            held_out=arms["held_out"],
            in_both_arms=in_both or 0,
            paths=paths,
        )

    async def _runs(self, connection: AsyncConnection, values: dict[str, Any]) -> RunCounts:
        rows = await connection.execute(_RUNS, values)
        exited: dict[ExitKind, int] = defaultdict(int)
        by_status: dict[str, int] = defaultdict(int)
        for row in rows:
            by_status[row.status] += row.runs
            if row.status == "exited":
                exited[exit_kind(row.begins or "", row.by_crossing)] += row.runs
        return RunCounts(
            started=sum(by_status.values()),
            active=by_status["active"],
            completed=by_status["completed"],
            exited=dict(sorted(exited.items())),
            failed=by_status["failed"],
            cancelled=by_status["cancelled"],
            held_out=await connection.scalar(_HELD_OUT, values) or 0,
        )

    async def _arms(self, connection: AsyncConnection, values: dict[str, Any]) -> dict[Arm, ArmMeasured]:
        tallies = {row.arm: _tally(row) for row in await connection.execute(_TALLIES, values)}
        observed, revenue = defaultdict(list), defaultdict(list)
        for row in await connection.execute(_OBSERVED, values):
            observed[row.arm].append(Observed(row.hours, row.recovered, row.waiting))
        for row in await connection.execute(_REVENUE, values):
            revenue[row.arm].append(_money(row))
        arms: tuple[Arm, Arm] = ("treated", "held_out")
        return {
            arm: ArmMeasured(tally=tallies.get(arm, Tally()), observed=observed[arm], revenue=revenue[arm])
            for arm in arms
        }


def _tally(row: Row[Any]) -> Tally:
    return Tally(**{name: count for name, count in row._mapping.items() if name != "arm"})


def _money(row: Row[Any]) -> Money:
    return Money(
        currency=row.currency,
        accounts=row.accounts,
        entered=round(row.entered, 2),
        at_stake=round(row.at_stake, 2),
    )
