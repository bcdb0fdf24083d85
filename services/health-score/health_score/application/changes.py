"""The change feed: reads what is there, and wakes all who wait with one look into the database for all of them.

Transactions commit in another order than they began. What is behind the oldest that still runs cannot be overtaken any more, so
the feed is read up to there (`head`): a long transaction delays it, and nothing is ever missed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from csm_common.errors import ConflictError
from csm_common.poller import Poller
from health_score.application.changes_ports import FeedReads, FeedRow, Page, Position, Wanted

PAGE = 500
_MOST_PAGES = 10  # scanned for one answer, however little of it is wanted
_READERS = 2  # at once, so that followers leave connections for everybody else


class Follower:
    """Somebody who waits at the end of the feed. Holds `most` rows for them; with more they are `overrun` and have to leave."""

    def __init__(self, position: Position, wanted: Wanted, most: int) -> None:
        self.begun = self._reached = position
        self.overrun = False
        self._wanted = wanted
        self._most = most
        self._rows: list[FeedRow] = []
        self._news = asyncio.Event()

    def offer(self, rows: list[FeedRow], reached: Position) -> None:
        """What has come, up to a new end of the feed."""
        if self.overrun:
            return
        self._rows += filter(self._wanted.takes, rows)
        self._reached = reached
        self.overrun = len(self._rows) > self._most
        if self._rows:
            self._news.set()

    def wake(self) -> None:
        """There is nothing more to wait for."""
        self._news.set()

    async def take(self, wait_s: float) -> Page:
        """All that has come since, as soon as there is something; nothing once the time is over."""
        try:
            async with asyncio.timeout(wait_s):
                await self._news.wait()
        except TimeoutError:
            pass
        rows, self._rows = self._rows, []
        self._news.clear()
        return Page(rows, self._reached, False)


class Changes:
    """The feed. `run` is a loop of the service: while anybody waits it looks every `interval_s` seconds."""

    def __init__(self, reads: FeedReads, *, interval_s: float = 0.25, most_held: int = 2_000) -> None:
        self._reads = reads
        self._most_held = most_held
        self.followers: set[Follower] = set()
        self._end: Position | None = None  # how far the followers have been told
        self._head = 0  # the furthest that was seen of it
        self._turn = asyncio.Lock()
        self._readers = asyncio.Semaphore(_READERS)
        self._poller = Poller("changes", self._look, interval_s=interval_s)
        self.closing = False

    async def run(self, stop: asyncio.Event) -> None:
        """Tell those who wait of what comes, until `stop`; then let them all go."""
        await self._poller.run(stop)
        self.closing = True
        for follower in self.followers:
            follower.wake()

    async def begin(self, after: Position | None) -> Position:
        """Where to begin: `after`, or from now on. ConflictError for a place that this database has not come to yet."""
        if after is not None and after.xact <= self._head:
            return after
        head = await self._reads.head()
        self._head = max(self._head, head.xact)
        if after is not None and after.xact > head.xact:
            raise ConflictError(
                "The cursor is ahead of the feed: it comes from another life of the database."
                " Begin anew with since=beginning, or read the accounts and follow from now.",
                code="cursor_ahead",
            )
        return head if after is None else after

    async def read(self, after: Position, wanted: Wanted, limit: int) -> Page:
        """What is there now."""
        return await self._scan(after, await self._reads.head(), wanted, limit)

    async def wait(self, after: Position, wanted: Wanted, limit: int, wait_s: float) -> Page:
        """What is there now, or else what comes within `wait_s` seconds."""
        async with self.following(after, wanted) as follower:
            page = await self._gap(after, follower, wanted, limit)
            if page.rows or page.more or self.closing:
                return page
            page = await follower.take(wait_s)
        if len(page.rows) > limit:
            return Page(page.rows[:limit], page.rows[limit - 1].position, True)
        return page

    async def pages(self, after: Position, follower: Follower, wanted: Wanted) -> AsyncIterator[Page]:
        """What lies between a place and where a follower began."""
        while True:
            page = await self._gap(after, follower, wanted, PAGE)
            yield page
            after = page.reached
            if not page.more:
                return

    @asynccontextmanager
    async def following(self, after: Position, wanted: Wanted) -> AsyncIterator[Follower]:
        """A follower for the length of the block, who begins at or behind `after`."""
        follower = await self._join(after, wanted)
        try:
            yield follower
        finally:
            self.followers.discard(follower)

    async def _join(self, after: Position, wanted: Wanted) -> Follower:
        async with self._turn:
            end = self._end
            if end is None or not self.followers:
                end = self._end = await self._reads.head()
            while after != end and after.xact >= end.xact:  # told by another replica, a moment ahead of us
                end = await self._advance(end)
            follower = Follower(end, wanted, self._most_held)
            self.followers.add(follower)
            return follower

    async def _look(self) -> None:
        async with self._turn:
            end = self._end
            while end is not None and self.followers:
                reached = await self._advance(end)
                if reached.revision < 0:  # a head: there is no more
                    return
                end = reached

    async def _advance(self, end: Position) -> Position:
        """Tell all followers of one page behind `end`; how far it reached."""
        head = await self._reads.head()
        rows = await self._reads.read(end, head, PAGE)
        reached = rows[-1].position if len(rows) == PAGE else head
        self._end = reached
        for follower in self.followers:
            follower.offer(rows, reached)
        return reached

    async def _gap(self, after: Position, follower: Follower, wanted: Wanted, limit: int) -> Page:
        if after == follower.begun:
            return Page((), after, False)
        return await self._scan(after, follower.begun, wanted, limit)

    async def _scan(self, after: Position, until: Position, wanted: Wanted, limit: int) -> Page:
        found: list[FeedRow] = []
        for _ in range(_MOST_PAGES):
            async with self._readers:
                rows = await self._reads.read(after, until, PAGE)
            for row in rows:
                after = row.position
                if wanted.takes(row):
                    found.append(row)
                if len(found) == limit:
                    return Page(found, after, True)
            if len(rows) < PAGE:
                return Page(found, until, False)
        return Page(found, after, True)
