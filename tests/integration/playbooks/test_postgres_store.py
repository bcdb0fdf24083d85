"""PostgreSQL keeps the ports' contract, and does what no fake can show: locks, refusals, a database that is away."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from tests.integration.playbooks.conftest import Adapters, adapters_on
from tests.support.clock import START, ManualClock
from tests.support.ports import free_port
from tests.support.postgres import Database, blocked
from tests.unit.playbooks.builders import TASK, a_crossing, a_definition, a_run, a_snapshot, received
from tests.unit.playbooks.contracts.accounts import AccountsContract
from tests.unit.playbooks.contracts.crossings import CrossingsContract
from tests.unit.playbooks.contracts.entries import EntriesContract
from tests.unit.playbooks.contracts.erasures import ErasuresContract
from tests.unit.playbooks.contracts.hands import FreshnessContract, HandsContract
from tests.unit.playbooks.contracts.playbooks import PlaybooksContract
from tests.unit.playbooks.contracts.rows import HOUR, with_runs
from tests.unit.playbooks.contracts.runs import RunsContract
from tests.unit.playbooks.contracts.switches import SwitchesContract
from tests.unit.playbooks.contracts.transactions import TransactionsContract
from tests.unit.playbooks.contracts.trials import TrialsContract

from csm_common.errors import TransientError
from playbooks.app import SCHEMA
from playbooks.application.handlers.crossings import handle_crossings
from playbooks.application.handlers.definitions import publish
from playbooks.application.handlers.steps import Rules, advance_due
from playbooks.application.ports import Transactions
from playbooks.application.reads import RunFilter
from playbooks.domain.run import Run


@pytest.fixture
def transactions(adapters: Adapters) -> Transactions:
    return adapters.transactions


class TestAccounts(AccountsContract):
    """AccountsContract on PostgreSQL."""


class TestCrossings(CrossingsContract):
    """CrossingsContract on PostgreSQL."""


class TestEntries(EntriesContract):
    """EntriesContract on PostgreSQL."""


class TestErasures(ErasuresContract):
    """ErasuresContract on PostgreSQL."""


class TestFreshness(FreshnessContract):
    """FreshnessContract on PostgreSQL."""


class TestHands(HandsContract):
    """HandsContract on PostgreSQL."""


class TestPlaybooks(PlaybooksContract):
    """PlaybooksContract on PostgreSQL."""


class TestRuns(RunsContract):
    """RunsContract on PostgreSQL."""


class TestSwitches(SwitchesContract):
    """SwitchesContract on PostgreSQL."""


class TestTransactions(TransactionsContract):
    """TransactionsContract on PostgreSQL."""


class TestTrials(TrialsContract):
    """TrialsContract on PostgreSQL."""


async def test_two_tickers_never_have_the_same_run_in_hand(adapters: Adapters) -> None:
    runs = [a_run(f"run-{number}", account_id=f"account-{number}") for number in range(4)]
    async with adapters.transactions.begin() as store:
        await with_runs(store, *runs)
    async with adapters.transactions.begin() as one, adapters.transactions.begin() as other:
        first = await one.runs.take(await one.runs.due(START, 2), START)
        second = await other.runs.take(await other.runs.due(START, 4), START)
        assert await other.runs.take([first[0].id], START) == []
    assert len(first) == len(second) == 2
    assert {run.id for run in (*first, *second)} == {run.id for run in runs}


async def test_two_callers_never_have_the_same_call_in_hand(adapters: Adapters) -> None:
    runs = [a_run(f"run-{number}", account_id=f"account-{number}", awaits="call") for number in range(3)]
    async with adapters.transactions.begin() as store:
        await with_runs(store, *runs)
    async with adapters.transactions.begin() as one, adapters.transactions.begin() as other:
        first = await one.runs.take_calls(START, 2)
        second = await other.runs.take_calls(START, 3)
    assert sorted(run.id for run in (*first, *second)) == ["run-0", "run-1", "run-2"]


async def test_a_dead_hand_is_told_to_one_alone(adapters: Adapters) -> None:
    async with adapters.transactions.begin() as store:
        await store.hands.hold("dead", ["run-1"], START)
    late = START + HOUR
    async with adapters.transactions.begin() as one, adapters.transactions.begin() as other:
        assert [list(each) for each in await one.hands.abandoned(late)] == [["run-1"]]
        assert list(await other.hands.abandoned(late)) == []


async def test_suspects_are_locked_in_the_order_in_which_all_lock(adapters: Adapters) -> None:
    async with adapters.transactions.begin() as store:
        await with_runs(store, a_run("run-2", account_id="acme"), a_run("run-1", account_id="other"))

    async def suspect() -> None:
        async with adapters.transactions.begin() as store:
            await store.hands.suspect([["run-2", "run-1"]])

    async with asyncio.timeout(20), adapters.transactions.begin() as consumer:
        await consumer.runs.lock(["run-1"])
        suspecting = asyncio.create_task(suspect())
        await blocked(adapters.engine)
        assert await consumer.runs.lock(["run-2"])  # it would be a deadlock, did the other hold it
    await suspecting


async def test_an_exit_waits_for_the_step_in_hand_and_sees_what_it_did(adapters: Adapters) -> None:
    async with adapters.transactions.begin() as store:
        await with_runs(store, a_run())
    after = a_run(position=1)

    async def lock() -> list[Run]:
        async with adapters.transactions.begin() as store:
            return await store.runs.lock_active(["acme"])

    async with adapters.transactions.begin() as ticker:
        await ticker.runs.take(["run-1"], START)
        locking = asyncio.create_task(lock())
        await ticker.runs.update([after])
    assert await locking == [after]


async def test_a_value_that_the_database_refuses_fails_its_own_run_alone(adapters: Adapters) -> None:
    """A NUL is legal in JSON, and not in a PostgreSQL text."""
    await publish(adapters.transactions, [a_definition(steps=(TASK,))], ManualClock())
    bad = a_snapshot("acme", attributes={"owner": "ma\x00ria"})
    async with adapters.transactions.begin() as store:
        crossings = [received("c-1", a_crossing(snapshot=bad)), received("c-2", a_crossing("beta"))]
        await handle_crossings(store, crossings, START)
    await advance_due(adapters.transactions, START, Rules(retry_after_s=()), worker="worker", limit=10)
    found = await adapters.reads.runs(RunFilter(), 10, None)
    assert {run.account_id: run.status for run in found} == {"acme": "failed", "beta": "completed"}
    [error] = [run.error for run in found if run.account_id == "acme"]
    assert error is not None
    assert "\n" not in error


async def test_replicas_that_start_together_publish_one_version(adapters: Adapters) -> None:
    replicas = [adapters_on(adapters.engine) for _ in range(4)]
    await asyncio.gather(*(publish(each.transactions, [a_definition()], ManualClock()) for each in replicas))
    async with adapters.transactions.begin() as store:
        assert [each.version for each in await store.playbooks.active()] == [1]


async def test_a_query_is_answered_by_an_index(adapters: Adapters) -> None:
    """Due runs are looked for every second, and there can be a million that wait."""
    async with adapters.engine.connect() as connection:
        await connection.execute(text("SET enable_seqscan = off"))
        plan = await connection.execute(
            text(
                "EXPLAIN SELECT id FROM runs WHERE status = 'active' AND due_at <= now() ORDER BY due_at LIMIT 100"
            )
        )
        assert "runs_due" in "\n".join(row[0] for row in plan)


@pytest.fixture
async def unreachable() -> AsyncIterator[Adapters]:
    """The ports on a database nobody answers for."""
    async with Database(f"postgresql://postgres:none@127.0.0.1:{free_port()}/csm").engine(SCHEMA) as engine:
        yield adapters_on(engine)


async def test_a_database_that_is_away_is_a_transient_error(unreachable: Adapters) -> None:
    with pytest.raises(TransientError, match="database does not answer"):
        await unreachable.reads.runs(RunFilter(), 1, None)
    with pytest.raises(TransientError):
        await advance_due(unreachable.transactions, START, Rules(), worker="worker", limit=1)
