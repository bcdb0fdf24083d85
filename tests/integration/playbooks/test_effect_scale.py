"""A hundred thousand trials: what is counted is exact, and what is asked for often goes over an index."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.playbooks.conftest import adapters_on
from tests.support.clock import START
from tests.unit.playbooks.builders import a_definition

from playbooks.adapters.postgres.effects import PostgresEffects
from playbooks.adapters.postgres.trials import UNFINISHED
from playbooks.application.effect import effect_of
from playbooks.application.measured import (
    Wanted,
)
from playbooks.domain.definition import Goal, Holdout
from playbooks.domain.effect import Arms

TRIALS = 100_000
DAY = timedelta(days=1)
MEASURED = a_definition(
    "account_at_risk", goal=Goal(condition="true", within="60d"), holdout=Holdout(share=0.1)
)

# A tenth is held out, and one account enters every six minutes; three of ten treated and two of ten held out reach the goal, all
# recover after a day but every fourth, all but every hundredth tell their revenue. Every tenth trial is of another playbook.
_FILL = text("""
INSERT INTO trials (id, playbook, version, programme, account_id, arm, crossed_at, entered_at, threshold, direction,
    window_ends_at, goal_reached_at, recovered_at, revenue, currency)
SELECT 'trial-' || n, CASE WHEN n % 10 = 9 THEN 'another' ELSE 'account_at_risk' END, 1, 'retention', 'account-' || n,
    CASE WHEN n % 10 = 0 THEN 'held_out' ELSE 'treated' END, at, at, 'at_risk', 'entered', at + interval '60 days',
    CASE WHEN n / 10 % 10 < CASE WHEN n % 10 = 0 THEN 2 ELSE 3 END THEN at + interval '7 days' END,
    CASE WHEN n / 10 % 4 > 0 THEN at + interval '1 day' END, CASE WHEN n / 10 % 100 > 0 THEN 100 END, 'EUR'
FROM (SELECT n, CAST(:start AS timestamptz) + n * interval '6 minutes' AS at FROM generate_series(0, :trials - 1) AS n) AS entries
""")


@pytest.fixture(scope="module")
async def filled(migrated: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """The service's engine with the trials."""
    async with adapters_on(migrated).transactions.begin() as store:
        await store.playbooks.ship([MEASURED, a_definition("another")], START)
    async with migrated.begin() as tx:
        await tx.execute(_FILL, {"start": START, "trials": TRIALS})
    async with migrated.connect() as connection:
        automatic = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await automatic.execute(text("ANALYZE trials"))
    yield migrated
    async with migrated.begin() as tx:
        await tx.execute(text("TRUNCATE trials, playbooks CASCADE"))


async def test_all_of_them_are_counted_exactly(filled: AsyncEngine) -> None:
    now = START + 1000 * DAY
    found = await effect_of(PostgresEffects(filled), Wanted(playbook="account_at_risk"), 0.05, now)
    assert (found.treated.goal.matured, found.treated.goal.goal_reached) == (80_000, 24_000)
    assert (found.held_out.goal.matured, found.held_out.goal.goal_reached) == (10_000, 2_000)
    assert found.verdict.kind == "helps"
    assert found.verdict.planned == Arms(treated=7849, held_out=873)
    assert found.treated.recovery.median_hours == 24
    assert found.held_out.recovery.share == 0.75
    [euros] = found.treated.revenue
    assert (euros.accounts, euros.entered) == (79_200, 7_920_000)


async def test_the_range_decides_what_is_counted(filled: AsyncEngine) -> None:
    wanted = Wanted(playbook="account_at_risk", since=START + 100 * DAY, until=START + 110 * DAY)
    found = await effect_of(PostgresEffects(filled), wanted, 0.1, START + 165 * DAY)
    assert (found.treated.goal.entered, found.held_out.goal.entered) == (1920, 240)
    assert (found.treated.goal.matured, found.treated.goal.reached_early) == (960, 288)


async def test_a_range_is_read_over_the_index_of_playbook_and_entry(filled: AsyncEngine) -> None:
    told = await plan(
        filled,
        "SELECT DISTINCT ON (arm, account_id) * FROM trials WHERE playbook = 'account_at_risk'"
        " AND entered_at >= '2026-06-01' AND entered_at < '2026-06-11' ORDER BY arm, account_id, entered_at, id",
    )
    assert "trials_playbook" in told


async def test_the_unfinished_are_found_over_an_index_of_their_own(filled: AsyncEngine) -> None:
    accounts = ", ".join(f"'account-{number}'" for number in range(0, 50_000, 100))
    query = UNFINISHED.replace("CAST(:accounts AS text[])", f"ARRAY[{accounts}]").replace(
        ":now", "'2026-06-01'"
    )
    told = await plan(filled, query)
    assert "trials_account" in told
    assert "Seq Scan" not in told


async def plan(engine: AsyncEngine, query: str) -> str:
    """How PostgreSQL would answer the query."""
    async with engine.connect() as connection:
        return "\n".join((await connection.execute(text(f"EXPLAIN {query}"))).scalars())
