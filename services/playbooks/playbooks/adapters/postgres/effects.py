"""What a playbook has done, counted in PostgreSQL: an answer is a few grouped rows, however many trials there are."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from playbooks.adapters.definitions import decode_definition
from playbooks.adapters.postgres.freshness import PostgresFreshness
from playbooks.adapters.postgres.moment import RANGE, asked, moment
from playbooks.application.measured import (
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

# A held-out account enters no second time while its window is open, since nothing would come of it; a treated one may.
# For both arms to take in the same accounts, an entry within the window of an earlier one that is not wanted does not count.
_NEW = """
((CAST(:version AS int) IS NULL AND CAST(:since AS timestamptz) IS NULL) OR NOT EXISTS (
    SELECT FROM trials AS earlier
    WHERE earlier.account_id = trials.account_id AND earlier.playbook = trials.playbook AND earlier.arm = trials.arm
        AND earlier.entered_at < trials.entered_at AND earlier.window_ends_at > trials.entered_at
))
"""

# Each account once an arm, by its first entry: the index trials_playbook, then one sort, which all that is counted shares. Bytes
# sort faster than words, and any order does.
# The sample is taken in the order in which the windows end, so that what matures later takes nobody's place in it.
_ARMS = text(f"""
WITH first AS MATERIALIZED (
    SELECT DISTINCT ON (arm, account_id COLLATE "C") id, arm, account_id, entered_at, window_ends_at, recovered_at, revenue,
        currency, coalesce(window_ends_at <= :now, false) AS matured, goal_reached_at IS NOT NULL AS reached
    FROM trials WHERE {RANGE.format(at="entered_at")} AND {_NEW}
    ORDER BY arm, account_id COLLATE "C", entered_at, id
),
numbered AS (
    SELECT arm, matured, reached, row_number() OVER (PARTITION BY arm, matured ORDER BY window_ends_at, id COLLATE "C") AS nth,
        CASE arm WHEN 'treated' THEN CAST(:treated AS int) ELSE CAST(:held_out AS int) END AS wanted
    FROM first
),
tallies AS (
    SELECT arm, count(*) AS entered,
        count(*) FILTER (WHERE matured) AS matured,
        count(*) FILTER (WHERE matured AND reached) AS reached,
        count(*) FILTER (WHERE NOT matured AND reached) AS reached_early,
        count(*) FILTER (WHERE matured AND nth <= wanted) AS planned,
        count(*) FILTER (WHERE matured AND nth <= wanted AND reached) AS planned_reached
    FROM numbered GROUP BY arm
),
aged AS (
    SELECT arm, recovered_at IS NOT NULL AS recovered, CAST(CASE
        WHEN recovered_at IS NULL THEN floor(extract(epoch FROM greatest(:now, entered_at) - entered_at) / 3600)
        ELSE ceil(extract(epoch FROM recovered_at - entered_at) / 3600) END AS int) AS hours
    FROM first
),
observed AS (
    SELECT arm, hours, count(*) FILTER (WHERE recovered) AS recovered, count(*) FILTER (WHERE NOT recovered) AS waiting
    FROM aged GROUP BY arm, hours
),
revenue AS (
    SELECT arm, currency, count(*) AS accounts, sum(revenue) AS entered,
        coalesce(sum(revenue) FILTER (WHERE recovered_at IS NULL AND NOT reached), 0) AS at_stake
    FROM first WHERE revenue IS NOT NULL GROUP BY arm, currency ORDER BY currency
)
SELECT (SELECT json_agg(tallies) FROM tallies)::text AS tallies,
    (SELECT json_agg(observed) FROM observed)::text AS observed,
    (SELECT json_agg(revenue) FROM revenue)::text AS revenue,
    (SELECT count(*) - count(DISTINCT account_id COLLATE "C") FROM first) AS in_both_arms
""")  # noqa: S608

_PATHS = text(f"""
WITH first AS (
    SELECT DISTINCT ON (account_id COLLATE "C") id, coalesce(window_ends_at <= :now, false) AS matured,
        goal_reached_at IS NOT NULL AS reached
    FROM trials WHERE {RANGE.format(at="entered_at")} AND arm = 'treated' AND {_NEW}
    ORDER BY account_id COLLATE "C", entered_at, id
)
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

    async def read_until(self) -> datetime | None:
        """By when all that was told of the accounts has been read; None where nothing ever was."""
        async with moment(self._engine) as connection:
            return await PostgresFreshness(connection).oldest()

    async def measure(self, wanted: Wanted, planned: Arms, now: datetime) -> Measured:
        """Everything counted at one moment; the tallies count the first `planned` that matured by themselves."""
        values = asked(wanted) | {"now": now, "treated": planned.treated, "held_out": planned.held_out}
        async with moment(self._engine) as connection:
            runs = await self._runs(connection, values)
            arms = (await connection.execute(_ARMS, values)).one()
            paths = [PathTally(**row._mapping) for row in await connection.execute(_PATHS, values)]
        return Measured(
            runs=runs,
            treated=_arm(arms, "treated"),
            held_out=_arm(arms, "held_out"),
            in_both_arms=arms.in_both_arms,
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


def _arm(row: Row[Any], arm: Arm) -> ArmMeasured:
    """One arm of the row of _ARMS."""
    tallies, observed, revenue = (_of_arm(rows, arm) for rows in (row.tallies, row.observed, row.revenue))
    return ArmMeasured(
        tally=Tally(**tallies[0]) if tallies else Tally(),
        observed=[Observed(**each) for each in observed],
        revenue=[_money(**each) for each in revenue],
    )


def _of_arm(rows: str | None, arm: Arm) -> list[dict[str, Any]]:
    """The rows of an arm without its name; None is no rows."""
    found = msgspec.json.decode(rows) if rows else []
    return [{name: each[name] for name in each if name != "arm"} for each in found if each["arm"] == arm]


def _money(currency: str | None, accounts: int, entered: float, at_stake: float) -> Money:
    return Money(currency=currency, accounts=accounts, entered=round(entered, 2), at_stake=round(at_stake, 2))
