"""What every FeedReads and HistoryReads must do: run on the fakes in unit/ and on PostgreSQL in integration/."""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from health_score.application.changes_ports import BEGINNING, FeedReads, Position
from health_score.application.explaining_ports import Change, HistoryReads, Told
from health_score.domain.assessment import Assessment

THEN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def change(account: str, revision: int, score: float = 40.0) -> Change:
    """A change of an account from 80 to `score`, so many hours after THEN as its revision."""
    return Change(
        account_id=account,
        revision=revision,
        known_at=THEN + timedelta(hours=revision),
        event_at=THEN,
        cause="timer" if revision % 2 else "facts",
        fact_ids=["f1", "f2"],
        scorecard="default",
        version=1,
        score_before=80.0,
        score=score,
        computed=score,
        band_before="healthy",
        band="at_risk" if score < 50 else "healthy",
        coverage=1.0,
    )


def told(account: str, revision: int, score: float = 40.0) -> Told:
    """The same with an assessment."""
    parts: dict[str, float | None] = {"nps": score}
    assessment = Assessment(score, "at_risk", score, 1.0, {"voice": score}, parts, parts, parts)
    return Told(change(account, revision, score), assessment)


class Writing(Protocol):
    """Whoever writes what the feed reads."""

    @property
    def reads(self) -> FeedReads:
        """The feed."""
        ...

    async def begin(self) -> int:
        """A transaction that has its place in the order."""
        ...

    async def tell(self, xact: int, account: str, revision: int) -> None:
        """A change in it."""
        ...

    async def commit(self, xact: int) -> None:
        """It lasts."""
        ...


async def _found(feed: FeedReads, after: Position = BEGINNING, limit: int = 10) -> list[tuple[str, int]]:
    return [row.position[1:] for row in await feed.read(after, await feed.head(), limit)]


class FeedContract:
    """The promises. A subclass gives the fixture `writing`."""

    async def test_what_is_behind_a_transaction_that_runs_is_not_told_yet(self, writing: Writing) -> None:
        late, early = await writing.begin(), await writing.begin()
        await writing.tell(late, "late", 1)
        await writing.tell(early, "early", 1)
        await writing.commit(early)
        assert await _found(writing.reads) == []
        await writing.commit(late)
        assert await _found(writing.reads) == [("late", 1), ("early", 1)]

    async def test_within_a_transaction_accounts_and_revisions_are_in_order(self, writing: Writing) -> None:
        xact = await writing.begin()
        for account, revision in (("b", 1), ("a", 2), ("a", 10), ("a", 1)):
            await writing.tell(xact, account, revision)
        await writing.commit(xact)
        assert await _found(writing.reads) == [("a", 1), ("a", 2), ("a", 10), ("b", 1)]

    async def test_a_page_goes_on_behind_the_one_before(self, writing: Writing) -> None:
        xact = await writing.begin()
        for revision in range(1, 6):
            await writing.tell(xact, "a", revision)
        await writing.commit(xact)
        feed = writing.reads
        page = await feed.read(BEGINNING, await feed.head(), 3)
        assert await _found(feed, page[-1].position) == [("a", 4), ("a", 5)]
        until = await feed.read(BEGINNING, page[1].position, 10)
        assert [row.position for row in until] == [row.position for row in page[:2]]

    async def test_behind_a_head_is_what_comes_after_it(self, writing: Writing) -> None:
        head = await writing.reads.head()
        xact = await writing.begin()
        await writing.tell(xact, "a", 1)
        await writing.commit(xact)
        assert await _found(writing.reads, head) == [("a", 1)]
        [row] = await writing.reads.read(head, await writing.reads.head(), 10)
        assert row.change == change("a", 1)
        assert await _found(writing.reads, await writing.reads.head()) == []


class Remembering(Protocol):
    """Whoever writes what histories read."""

    @property
    def reads(self) -> HistoryReads:
        """The histories."""
        ...

    def remember(self, *changes: Told) -> Awaitable[None]:
        """These were told, of the account acme."""
        ...


class HistoriesContract:
    """The promises. A subclass gives the fixture `remembering`."""

    async def test_the_change_in_force_is_the_last_known_by_then(self, remembering: Remembering) -> None:
        await remembering.remember(told("acme", 1), told("acme", 3))
        reads = remembering.reads
        assert await reads.first("acme") == THEN + timedelta(hours=1)
        assert await reads.at("acme", THEN) is None
        assert await reads.at("acme", THEN + timedelta(hours=1)) == told("acme", 1)
        assert await reads.at("acme", THEN + timedelta(hours=9)) == told("acme", 3)
        assert await reads.before("acme", 3) == told("acme", 1)
        assert await reads.before("acme", 1) is None

    async def test_pages_and_marks_are_in_order_and_without_their_end(self, remembering: Remembering) -> None:
        await remembering.remember(*[told("acme", each) for each in range(1, 6)])
        reads, hour = remembering.reads, timedelta(hours=1)
        page = await reads.page("acme", THEN + 2 * hour, THEN + 5 * hour, 2, 9)
        assert [each.change.revision for each in page] == [3, 4]
        assert len(await reads.page("acme", THEN, THEN + 9 * hour, -1, 2)) == 2
        marks = [each.at async for each in reads.marks("acme", THEN + 2 * hour, THEN + 5 * hour)]
        assert marks == [THEN + 2 * hour, THEN + 3 * hour, THEN + 4 * hour]

    async def test_points_are_summed_by_cause(self, remembering: Remembering) -> None:
        await remembering.remember(*[told("acme", each, 80.0 + each) for each in range(1, 6)])
        found = await remembering.reads.by_cause("acme", 1, THEN + timedelta(hours=4))
        assert found == {"facts": 2.0 + 4.0, "timer": 3.0}

    async def test_an_account_that_nothing_was_told_of_has_nothing(self, remembering: Remembering) -> None:
        reads = remembering.reads
        assert await reads.first("acme") is None
        assert await reads.at("acme", THEN) is None
        assert await reads.by_cause("acme", -1, THEN) == {}
        assert await reads.model_changes(THEN, THEN) == []
