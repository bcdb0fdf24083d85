"""What is read from PostgreSQL keeps the contract, and finds rows by their indexes."""

import pytest
from sqlalchemy import text
from tests.integration.playbooks.conftest import Adapters
from tests.unit.playbooks.contracts.reads import ReadsContract
from tests.unit.playbooks.runs.scenes import Scene


@pytest.fixture
def scene(adapters: Adapters) -> Scene:
    """A scene on PostgreSQL."""
    return Scene(adapters.transactions, adapters.reads)


class TestPostgresReads(ReadsContract):
    """ReadsContract on PostgreSQL."""


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("status = 'failed' AND failures > 0 ORDER BY started_at DESC, id DESC LIMIT 100", "runs_failed"),
        ("held IS NOT NULL ORDER BY started_at DESC, id DESC LIMIT 100", "runs_held"),
        ("playbook = 'a' ORDER BY started_at DESC, id DESC LIMIT 100", "runs_playbook"),
        ("account_id = 'a' ORDER BY started_at DESC, id DESC LIMIT 100", "runs_account"),
        ("id IN (SELECT run_id FROM entries WHERE crossing_id = 'c')", "entries_pkey"),
    ],
    ids=["failed", "held", "playbook", "account", "crossing"],
)
async def test_runs_are_found_by_an_index(adapters: Adapters, query: str, index: str) -> None:
    """An ended run is never removed, so there can be millions."""
    async with adapters.engine.connect() as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        await connection.execute(text("SET LOCAL enable_sort = off"))
        plan = await connection.execute(text(f"EXPLAIN SELECT id FROM runs WHERE {query}"))
        assert index in "\n".join(row[0] for row in plan)
