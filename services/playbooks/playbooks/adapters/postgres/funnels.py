"""How far runs came, counted in PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from playbooks.adapters.postgres.effects import PostgresEffects
from playbooks.adapters.postgres.moment import RANGE, asked, moment
from playbooks.application.funnel import Passed, StepCounts
from playbooks.application.measured import (
    Version,
    Wanted,
)
from playbooks.domain.run import Outcome

_STARTED = text(f"""
SELECT count(*) AS started, count(*) FILTER (WHERE status = 'completed') AS completed
FROM runs WHERE {RANGE.format(at="started_at")}
""")  # noqa: S608  (names of our own columns, here and below)

_TAKEN = text(f"""
SELECT step, outcome, path, count(*) AS runs FROM run_steps
WHERE run_id IN (SELECT id FROM runs WHERE {RANGE.format(at="started_at")}) GROUP BY step, outcome, path ORDER BY outcome, path
""")  # noqa: S608

_STANDING = text(f"""
SELECT step, count(*) FILTER (WHERE status = 'active') AS active, count(*) FILTER (WHERE status = 'exited') AS exited,
    count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'cancelled') AS cancelled
FROM runs WHERE {RANGE.format(at="started_at")} AND step IS NOT NULL GROUP BY step
""")  # noqa: S608

# A run comes to a step when it is done with the one before, and to its first when it starts.
_REACHED = text(f"""
WITH chosen AS (SELECT id, step, started_at FROM runs WHERE {RANGE.format(at="started_at")}),
taken AS (
    SELECT run_id, position, step, at, lag(at) OVER (PARTITION BY run_id ORDER BY position) AS came_at
    FROM run_steps WHERE run_id IN (SELECT id FROM chosen)
),
reached AS (
    SELECT taken.step, coalesce(came_at, started_at) - started_at AS took FROM taken JOIN chosen ON chosen.id = run_id
    UNION ALL
    SELECT chosen.step, coalesce(last.at, started_at) - started_at FROM chosen
    LEFT JOIN (SELECT run_id, max(at) AS at FROM taken GROUP BY run_id) AS last ON last.run_id = chosen.id
    WHERE chosen.step IS NOT NULL
)
SELECT step, extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY took)) / 3600 AS hours FROM reached GROUP BY step
""")  # noqa: S608


class PostgresFunnels:
    """Implements application.funnel.Funnels; all that one answer counts is of one moment."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def versions(self, playbook: str) -> Sequence[Version]:
        """All versions, the newest first; none where nobody knows the playbook."""
        return await PostgresEffects(self._engine).versions(playbook)

    async def passed(self, wanted: Wanted) -> Passed:
        """The runs of one version at one moment."""
        values = asked(wanted)
        async with moment(self._engine) as connection:
            total = (await connection.execute(_STARTED, values)).one()
            taken = (await connection.execute(_TAKEN, values)).all()
            standing = {row.step: row for row in await connection.execute(_STANDING, values)}
            hours = {row.step: float(row.hours) for row in await connection.execute(_REACHED, values)}
        steps = {row.step for row in taken} | set(standing)
        return Passed(
            started=total.started,
            completed=total.completed,
            steps={step: _counts(step, taken, standing.get(step), hours) for step in steps},
        )


def _counts(
    step: str, taken: Sequence[Row[Any]], standing: Row[Any] | None, hours: Mapping[str, float]
) -> StepCounts:
    outcomes: dict[Outcome, int] = {}
    paths: dict[str, int] = {}
    for row in taken:
        if row.step == step:
            outcomes[row.outcome] = outcomes.get(row.outcome, 0) + row.runs
            if row.path is not None:
                paths[row.path] = paths.get(row.path, 0) + row.runs
    at_hand = {name: count for name, count in standing._mapping.items() if name != "step"} if standing else {}
    return StepCounts(outcomes=outcomes, paths=paths, **at_hand, median_hours=round(hours[step], 2))
