"""What every implementation of health-score's ports must do: run on the fakes in unit/ and on PostgreSQL in integration/.

A subclass gives the fixture `stores`: the repositories and a transaction to use them in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.health_score import EPOCH, plain_scorecard

from health_score.application.messages import encode_snapshot, snapshot_of, stored_crossings
from health_score.application.model_ports import ChangeKind, ModelChange, ModelRepository, StoredCard
from health_score.application.ports import (
    AccountRepository,
    AccountRow,
    HistoryRepository,
    IntakeCounts,
    IntakeRepository,
    JournalRepository,
    StoredCrossing,
)
from health_score.domain.account import AccountState, begun_behind, fold
from health_score.domain.compiled import compile_card
from health_score.domain.evaluation import Cause, Evaluation, evaluate
from health_score.domain.fact import Fact
from health_score.domain.model import Choice, build_model

CARD = compile_card(plain_scorecard())
MODEL = build_model(1, [Choice(CARD)])
PARTITION, POSITION = 0, 40
"""Where the consumer stands in the partition of which models are asked."""


@dataclass(frozen=True, slots=True)
class Stores:
    """One implementation."""

    tx: AsyncConnection
    accounts: AccountRepository
    history: HistoryRepository
    models: ModelRepository
    journal: JournalRepository
    intake: IntakeRepository


@dataclass(frozen=True, slots=True)
class Lived:
    """An account of which something is known, and what was told of it."""

    state: AccountState
    told: list[Evaluation]


def lived(account: str) -> AccountState:
    """A state with something in every part of it."""
    return life(account).state


def life(account: str) -> Lived:
    """The same with its one evaluation."""
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
        ("csm.override.set", {"score": 30, "reason": "they said so", "until": "2026-03-01T00:00:00Z"}),
        ("csm.goal.changed", {"goal_id": "g1", "target": 10, "current": 4, "due": "2026-06-01"}),
    ]
    for number, (type_, data) in enumerate(facts):
        fold(MODEL, state, Fact(f"e{number}", type_, account, EPOCH.timestamp() - number * 60.0, data))
    return Lived(state, evaluate(MODEL, state, EPOCH.timestamp(), Cause("facts", ("e0",), EPOCH.timestamp())))


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
        assert await stores.accounts.erase(stores.tx, {"a": 7, "never_stored": 8}) == 1
        begun = {"a": begun_behind("a", revision), "never_stored": begun_behind("never_stored", 1)}
        assert await stores.accounts.load(stores.tx, ["a", "never_stored", "unknown"]) == begun
        assert await stores.accounts.next_due(stores.tx, [0]) is None
        assert await stores.accounts.erase(stores.tx, {"a": 9}) == 0
        assert await stores.accounts.load(stores.tx, ["a"]) == {"a": begun_behind("a", revision)}

    async def test_an_account_that_came_back_is_itself_and_can_be_erased_again(self, stores: Stores) -> None:
        await stores.accounts.save(stores.tx, [row("a")])
        await stores.accounts.erase(stores.tx, {"a": 9})
        back = row("a")
        back.state.revision += 7
        await stores.accounts.save(stores.tx, [back])
        assert await stores.accounts.load(stores.tx, ["a"]) == {"a": back.state}
        assert await stores.accounts.erase(stores.tx, {"a": 9}) == 1
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

    async def test_behind_are_those_of_the_partition_that_another_model_judged(self, stores: Stores) -> None:
        await stores.accounts.save(stores.tx, [row("a"), row("b"), row("c", partition=1), _judged_by("d", 2)])
        assert sorted(await stores.accounts.behind(stores.tx, 0, 2, 10)) == ["a", "b"]
        assert len(await stores.accounts.behind(stores.tx, 0, 2, 1)) == 1
        assert await stores.accounts.behind(stores.tx, 0, 1, 10) == []
        assert sorted(await stores.accounts.behind(stores.tx, 0, 9, 10)) == ["a", "b", "d"]

    async def test_histories_take_changes_and_crossings_and_forget_the_erased(self, stores: Stores) -> None:
        for account in ("a", "b"):
            told, crossings = life(account).told, _crossings(account)
            assert crossings
            await stores.history.add(stores.tx, told, crossings)
        later = evaluate(MODEL, lived("a"), EPOCH.timestamp() + 9e6, Cause("timer"))
        await stores.history.add(stores.tx, later, [])
        await stores.history.add(stores.tx, [], [])
        assert await self.told(stores) == [("a", 1), ("a", 2), ("b", 1)]
        assert await self.crossed(stores) == sorted(each.id for each in (*_crossings("a"), *_crossings("b")))
        await stores.history.erase(stores.tx, ["a", "unknown"])
        assert await self.told(stores) == [("b", 1)]
        assert await self.crossed(stores) == sorted(each.id for each in _crossings("b"))

    async def test_changes_of_the_model_come_back_oldest_first(self, stores: Stores) -> None:
        told = [
            await self.change(stores, "activate", "one", version=1, outreach=True),
            await self.change(stores, "silence", "csm.usage.recorded", since=EPOCH),
            await self.change(stores, "retire", "one"),
        ]
        assert await stores.models.changes(stores.tx) == told
        assert [each.number for each in told] == sorted({each.number for each in told})

    async def test_versions_of_scorecards_come_back_as_they_were_written(self, stores: Stores) -> None:
        cards = [_card("one", 1), _card("one", 2), _card("two", 1)]
        await self.store(stores, cards)
        found = await stores.models.cards(stores.tx, {("one", 2), ("two", 1), ("three", 1)})
        assert sorted(found, key=lambda each: each.name) == cards[1:]
        assert await stores.models.cards(stores.tx, []) == []

    async def test_each_partition_has_the_model_that_it_took_up_last(self, stores: Stores) -> None:
        await stores.models.judge_by(stores.tx, 0, 3)
        await stores.models.judge_by(stores.tx, 1, 3)
        await stores.models.judge_by(stores.tx, 0, 4)
        assert await stores.models.judging(stores.tx, [0, 1, 2]) == {0: 4, 1: 3}
        assert await stores.models.judging(stores.tx, [2]) == {}

    async def test_a_refold_reaches_up_to_where_the_consumer_stands(self, stores: Stores) -> None:
        await self.stand(stores)
        await stores.models.begin_refold(stores.tx, PARTITION, 5)
        await stores.models.begin_refold(stores.tx, PARTITION, 7)
        found = await stores.models.refolds(stores.tx, [PARTITION, 1])
        told = [(each.partition, each.model, each.until_offset, each.done) for each in found]
        assert told == [(PARTITION, 5, POSITION, False), (PARTITION, 7, POSITION, False)]
        await self.refold(stores, 5, [])
        assert [each.done for each in await stores.models.refolds(stores.tx, [PARTITION])] == [True, False]
        assert await stores.models.refolds(stores.tx, [1]) == []

    async def test_what_was_folded_anew_is_given_out_once_and_not_before_its_model(
        self, stores: Stores
    ) -> None:
        await self.stand(stores)
        await stores.models.begin_refold(stores.tx, PARTITION, 5)
        await self.refold(stores, 5, [_past("a"), _past("b")])
        take = stores.models.take_refolded
        assert await take(stores.tx, ["a", "unknown"], 4) == {}
        assert await take(stores.tx, ["a", "unknown"], 6) == {"a": _past("a")}
        assert await take(stores.tx, ["a", "b"], 5) == {"b": _past("b")}
        assert await take(stores.tx, ["a", "b"], 5) == {}

    async def test_what_was_folded_anew_before_an_erasure_is_void(self, stores: Stores) -> None:
        await self.stand(stores)
        await stores.models.begin_refold(stores.tx, PARTITION, 5)
        await stores.accounts.save(stores.tx, [row("before"), row("behind"), row("at")])
        await stores.accounts.erase(
            stores.tx, {"before": POSITION - 1, "behind": POSITION + 1, "at": POSITION}
        )
        await self.refold(stores, 5, [_past("before"), _past("behind"), _past("at")])
        taken = await stores.models.take_refolded(stores.tx, ["before", "behind", "at"], 5)
        assert list(taken) == ["before"]

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

    async def told(self, stores: Stores) -> list[tuple[str, int]]:
        """Account and revision of the stored changes, in order."""
        raise NotImplementedError

    async def crossed(self, stores: Stores) -> list[str]:
        """The ids of the stored crossings, in order."""
        raise NotImplementedError

    async def change(self, stores: Stores, kind: ChangeKind, name: str, **more: Any) -> ModelChange:
        """Tell a change of the model, as the one who asks for it does."""
        raise NotImplementedError

    async def store(self, stores: Stores, cards: Iterable[StoredCard]) -> None:
        """Store versions of scorecards."""
        raise NotImplementedError

    async def stand(self, stores: Stores) -> None:
        """Have the consumer stand at POSITION."""
        raise NotImplementedError

    async def refold(self, stores: Stores, model: int, states: Iterable[AccountState]) -> None:
        """Write what a refold of PARTITION has folded, and that it is done."""
        raise NotImplementedError


def _judged_by(account: str, model: int) -> AccountRow:
    found = row(account)
    found.state.model = model
    return found


def _crossings(account: str) -> list[StoredCrossing]:
    """The crossings of its one evaluation."""
    lived = life(account)
    snapshot = snapshot_of(lived.state, lived.told[0])
    assert encode_snapshot(snapshot)
    return stored_crossings(snapshot, lived.told[0])


def _card(name: str, version: int) -> StoredCard:
    return StoredCard(
        name=name, version=version, document="näme: x\n", author="kim", note="why", created_at=EPOCH
    )


def _past(account: str) -> AccountState:
    """What a refold keeps of an account: signals and trails alone."""
    lived_ = lived(account)
    return AccountState(account, signals=lived_.signals, trails=lived_.trails)
