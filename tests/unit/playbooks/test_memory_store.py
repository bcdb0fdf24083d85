"""The store in memory keeps the ports' contracts, and takes back what raises."""

import asyncio

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import a_run, a_snapshot, received_snapshot
from tests.unit.playbooks.contracts.accounts import AccountsContract
from tests.unit.playbooks.contracts.approvals import ApprovalsContract
from tests.unit.playbooks.contracts.audit import AuditContract
from tests.unit.playbooks.contracts.crossings import CrossingsContract
from tests.unit.playbooks.contracts.entries import EntriesContract
from tests.unit.playbooks.contracts.erasures import ErasuresContract
from tests.unit.playbooks.contracts.hands import FreshnessContract, HandsContract
from tests.unit.playbooks.contracts.playbooks import PlaybooksContract
from tests.unit.playbooks.contracts.rows import with_runs
from tests.unit.playbooks.contracts.runs import RunsContract
from tests.unit.playbooks.contracts.switches import SwitchesContract
from tests.unit.playbooks.contracts.tasks import TasksContract
from tests.unit.playbooks.contracts.transactions import TransactionsContract
from tests.unit.playbooks.contracts.trials import TrialsContract

from playbooks.adapters.memory.store import MemoryDatabase


@pytest.fixture
def transactions() -> MemoryDatabase:
    return MemoryDatabase()


class TestTransactions(TransactionsContract):
    """TransactionsContract in memory."""


class TestAccounts(AccountsContract):
    """AccountsContract in memory."""


class TestApprovals(ApprovalsContract):
    """ApprovalsContract in memory."""


class TestAudit(AuditContract):
    """AuditContract in memory."""


class TestCrossings(CrossingsContract):
    """CrossingsContract in memory."""


class TestEntries(EntriesContract):
    """EntriesContract in memory."""


class TestErasures(ErasuresContract):
    """ErasuresContract in memory."""


class TestFreshness(FreshnessContract):
    """FreshnessContract in memory."""


class TestHands(HandsContract):
    """HandsContract in memory."""


class TestPlaybooks(PlaybooksContract):
    """PlaybooksContract in memory."""


class TestRuns(RunsContract):
    """RunsContract in memory."""


class TestSwitches(SwitchesContract):
    """SwitchesContract in memory."""


class TestTasks(TasksContract):
    """TasksContract in memory."""


class TestTrials(TrialsContract):
    """TrialsContract in memory."""


async def test_a_crash_at_the_commit_takes_all_of_it_back_once(transactions: MemoryDatabase) -> None:
    transactions.crash = OSError("the power failed")
    with pytest.raises(OSError, match="the power failed"):
        async with transactions.begin() as store:
            await with_runs(store, a_run())
    assert transactions.state.runs == {}
    async with transactions.begin() as store:
        await with_runs(store, a_run())
    assert list(transactions.state.runs) == ["run-1"]


async def test_a_refusal_sees_what_the_transaction_has_written(transactions: MemoryDatabase) -> None:
    def refuse() -> None:
        if "run-2" in transactions.written("runs"):
            raise ValueError("refused")

    transactions.refuses = refuse
    async with transactions.begin() as store:
        await with_runs(store, a_run("run-1", account_id="a"))
    with pytest.raises(ValueError, match="refused"):
        async with transactions.begin() as store:
            await with_runs(store, a_run("run-2", account_id="b"))
    assert list(transactions.state.runs) == ["run-1"]


async def test_transactions_wait_for_each_other(transactions: MemoryDatabase) -> None:
    order: list[str] = []

    async def second() -> None:
        async with transactions.begin() as store:
            order.append("second")
            assert set(await store.accounts.newest(["acme"])) == {"acme"}

    async with transactions.begin() as store:
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0)
        await store.accounts.save([received_snapshot(a_snapshot())])
        order.append("first")
    await waiting
    assert order == ["first", "second"]


async def test_a_transaction_within_another_is_a_mistake(transactions: MemoryDatabase) -> None:
    with pytest.raises(RuntimeError, match="open already"):
        async with transactions.begin(), transactions.begin():
            pass
    async with transactions.begin() as store:
        assert await store.runs.due(START, 1) == []
