"""What every implementation of health-score's ports must do: run on the fakes in unit/ and on PostgreSQL in integration/.

A subclass gives the fixture `stores`: the three repositories and a transaction to use them in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.health_score import EPOCH

from health_score.application.ports import (
    AccountRepository,
    AccountRow,
    IntakeCounts,
    IntakeRepository,
    JournalRepository,
)
from health_score.application.scorecard_file import default_scorecard
from health_score.domain.account import AccountState, begun_behind, fold
from health_score.domain.compiled import compile_card
from health_score.domain.evaluation import evaluate
from health_score.domain.fact import Fact

CARD = compile_card(default_scorecard())


@dataclass(frozen=True, slots=True)
class Stores:
    """One implementation."""

    tx: AsyncConnection
    accounts: AccountRepository
    journal: JournalRepository
    intake: IntakeRepository


def lived(account: str) -> AccountState:
    """A state with something in every part of it."""
    state = AccountState(account)
    facts: list[tuple[str, dict[str, Any]]] = [
        ("csm.usage.recorded", {"feature": "login", "user_id": "u1"}),
        ("csm.ticket.changed", {"ticket_id": "t1", "status": "open", "priority": "high", "escalated": True}),
        ("csm.ticket.changed", {"ticket_id": "t2", "status": "solved"}),
        ("csm.survey.answered", {"kind": "nps", "score": 9}),
        ("csm.survey.answered", {"kind": "csat", "score": 4}),
        ("csm.invoice.changed", {"invoice_id": "i1", "status": "failed"}),
        (
            "csm.account.changed",
            {"name": "Äcme", "renewal_date": "2026-03-01", "attributes": {"tier": ["a", 1]}},
        ),
        ("csm.sentiment.recorded", {"sentiment": 40}),
    ]
    for number, (type_, data) in enumerate(facts):
        fold(CARD, state, Fact(f"e{number}", type_, account, EPOCH.timestamp() - number * 60.0, data))
    evaluate(CARD, state, EPOCH.timestamp())
    return state


def row(account: str, *, partition: int = 0, due_at: datetime | None = None) -> AccountRow:
    """A stored account."""
    return AccountRow(lived(account), partition, b'{"account_id":"x"}', due_at)


class RepositoryContract:
    """The promises."""

    async def test_a_state_comes_back_as_it_was(self, stores: Stores) -> None:
        await stores.accounts.save(stores.tx, [row("a"), row("b")])
        assert await stores.accounts.load(stores.tx, ["b", "unknown"]) == {"b": lived("b")}

    async def test_each_load_gives_objects_of_its_own(self, stores: Stores) -> None:
        await stores.accounts.save(stores.tx, [row("a")])
        (await stores.accounts.load(stores.tx, ["a"]))["a"].signals.clear()
        assert (await stores.accounts.load(stores.tx, ["a"]))["a"] == lived("a")

    async def test_saving_again_replaces(self, stores: Stores) -> None:
        await stores.accounts.save(stores.tx, [row("a", due_at=EPOCH)])
        await stores.accounts.save(stores.tx, [row("a", due_at=EPOCH + timedelta(1))])
        assert await stores.accounts.next_due(stores.tx, [0]) == EPOCH + timedelta(1)

    async def test_an_erased_account_is_known_by_its_last_revision_alone(self, stores: Stores) -> None:
        await stores.accounts.save(stores.tx, [row("a", due_at=EPOCH), row("b")])
        revision = lived("a").revision
        assert await stores.accounts.erase(stores.tx, ["a", "unknown"]) == 1
        assert await stores.accounts.load(stores.tx, ["a", "unknown"]) == {"a": begun_behind("a", revision)}
        assert await stores.accounts.next_due(stores.tx, [0]) is None
        assert await stores.accounts.erase(stores.tx, ["a"]) == 0
        assert await stores.accounts.load(stores.tx, ["a"]) == {"a": begun_behind("a", revision)}

    async def test_an_account_that_came_back_is_itself_and_can_be_erased_again(self, stores: Stores) -> None:
        await stores.accounts.save(stores.tx, [row("a")])
        await stores.accounts.erase(stores.tx, ["a"])
        back = row("a")
        back.state.revision += 7
        await stores.accounts.save(stores.tx, [back])
        assert await stores.accounts.load(stores.tx, ["a"]) == {"a": back.state}
        assert await stores.accounts.erase(stores.tx, ["a"]) == 1
        assert (await stores.accounts.load(stores.tx, ["a"]))["a"].erased_revision == back.state.revision

    async def test_due_are_those_of_the_partitions_longest_due_first(self, stores: Stores) -> None:
        await stores.accounts.save(
            stores.tx,
            [
                row("late", due_at=EPOCH - timedelta(hours=2)),
                row("later", partition=1, due_at=EPOCH - timedelta(hours=3)),
                row("now", due_at=EPOCH),
                row("future", due_at=EPOCH + timedelta(seconds=1)),
                row("elsewhere", partition=2, due_at=EPOCH - timedelta(days=9)),
                row("never"),
            ],
        )
        due = await stores.accounts.due(stores.tx, [0, 1], EPOCH, 10)
        assert [account for account, _, _ in due] == ["later", "late", "now"]
        assert [account for account, _, _ in await stores.accounts.due(stores.tx, [0, 1], EPOCH, 1)] == [
            "later"
        ]
        assert await stores.accounts.next_due(stores.tx, [2]) == EPOCH - timedelta(days=9)
        assert await stores.accounts.next_due(stores.tx, [7]) is None

    async def test_journal_entries_come_back_oldest_first_and_go_when_deleted(self, stores: Stores) -> None:
        most = 2**64 - 1
        first = await stores.journal.append(stores.tx, {0: [(1, most), (2, 0)], 1: [(3, 3)]}, EPOCH)
        second = await stores.journal.append(stores.tx, {0: [(4, 4)]}, EPOCH + timedelta(1))
        assert first[0].facts == ((1, most), (2, 0))
        loaded = await stores.journal.load(stores.tx, [0, 5])
        assert loaded == {0: [first[0], second[0]], 5: []}
        await stores.journal.delete(stores.tx, [first[0]])
        assert await stores.journal.load(stores.tx, [0, 1]) == {0: [second[0]], 1: [first[1]]}

    async def test_counts_add_up(self, stores: Stores) -> None:
        await stores.intake.add(stores.tx, {0: IntakeCounts(1, 7, 2, 3, 4), 1: IntakeCounts(folded=1)})
        await stores.intake.add(stores.tx, {0: IntakeCounts(10, 1, 0, 0, 1)})
        assert await self.counts(stores) == {0: (11, 8, 2, 3, 5), 1: (1, 0, 0, 0, 0)}

    async def counts(self, stores: Stores) -> dict[int, tuple[int, ...]]:
        """What is stored, in the order folded, outcomes, repeated, conflicting, undecodable."""
        raise NotImplementedError
