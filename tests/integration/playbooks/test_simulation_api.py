"""The HTTP door to simulations over PostgreSQL: it reads there, and leaves every table as it was."""

import pytest
from sqlalchemy import text
from tests.integration.playbooks.conftest import TABLES, Adapters
from tests.unit.playbooks.contracts.past import PastContract
from tests.unit.playbooks.contracts.simulation_http import Service, SimulationHttpContract

from playbooks.adapters.postgres.past import PostgresPast
from playbooks.application.ports import Transactions


@pytest.fixture
def transactions(adapters: Adapters) -> Transactions:
    return adapters.transactions


@pytest.fixture
def past(adapters: Adapters) -> PostgresPast:
    return PostgresPast(adapters.engine)


class TestPostgresPast(PastContract):
    """PastContract on PostgreSQL."""


class TestSimulationApi(SimulationHttpContract):
    """SimulationHttpContract on PostgreSQL."""

    @pytest.fixture
    def service(self, adapters: Adapters) -> Service:
        async def counts() -> dict[str, int]:
            async with adapters.engine.connect() as connection:
                return {
                    each: int(await connection.scalar(text(f"SELECT count(*) FROM {each}")) or 0)
                    for each in TABLES.split(", ")
                }

        return Service(adapters.transactions, adapters.reads, PostgresPast(adapters.engine), counts)


async def test_the_past_is_read_by_an_index(adapters: Adapters) -> None:
    async with adapters.engine.connect() as connection:
        await connection.execute(text("SET enable_seqscan = off"))
        plan = await connection.execute(
            text(
                "EXPLAIN SELECT id FROM crossings WHERE occurred_at >= now() ORDER BY occurred_at, id LIMIT 10"
            )
        )
        assert "crossings_occurred" in "\n".join(row[0] for row in plan)
