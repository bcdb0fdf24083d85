"""A stream of the feed keeps telling that it is there, ends in time, and lets nobody who takes slowly hold things up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.types import Message, Scope
from tests.support.clock import ManualClock
from tests.support.keys import MemoryKeys
from tests.support.waiting import eventually
from tests.unit.health_score.telling.feed import MemoryFeed

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from health_score.application.changes import Changes
from health_score.entrypoints.changes import Pace, create_changes_router


class Streaming:
    """The service over a feed in memory, with a client that takes an event when `gate` is open."""

    def __init__(self) -> None:
        self.feed = MemoryFeed()
        self.changes = Changes(self.feed, interval_s=0.001, most_held=3)
        self.gate = asyncio.Event()
        self.gate.set()
        self.sent: list[bytes] = []
        self.keys = MemoryKeys()

    @property
    def text(self) -> str:
        """All that has come."""
        return b"".join(self.sent).decode()

    async def ask(self, pace: Pace) -> None:
        """A stream from its beginning to its end."""
        app = create_web_app(
            title="health-score",
            description="",
            authenticator=Authenticator(self.keys, ManualClock()),
            routers=[create_changes_router(self.changes, pace)],
            ready={},
            alive={},
        )
        token = self.keys.add("reader", scopes=["health:read"])
        headers = [(b"authorization", f"Bearer {token}".encode()), (b"accept", b"text/event-stream")]
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "path": "/v1/changes",
            "raw_path": b"/v1/changes",
            "query_string": b"since=beginning",
            "headers": headers,
            "scheme": "http",
            "root_path": "",
            "server": ("health", 80),
            "client": None,
        }
        await app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nobody sends anything")

    async def _send(self, message: Message) -> None:
        await self.gate.wait()
        self.sent.append(message.get("body", b""))


@pytest.fixture
async def streaming() -> AsyncIterator[Streaming]:
    """With the feed's loop."""
    found, stop = Streaming(), asyncio.Event()
    running = asyncio.create_task(found.changes.run(stop))
    yield found
    stop.set()
    await running


async def started(streaming: Streaming, **pace: Any) -> "asyncio.Task[None]":
    """A stream that has come to the end of the feed."""
    task = asyncio.create_task(streaming.ask(Pace(**pace)))
    await eventually(lambda: streaming.changes.followers, what="it waits")
    return task


def seen(streaming: Streaming, *words: str) -> Callable[[], bool]:
    return lambda: all(each in streaming.text for each in words)


async def test_it_tells_that_it_is_there_with_the_place_to_go_on_from(streaming: Streaming) -> None:
    await (await started(streaming, heartbeat_s=0.001, longest_s=0.05))
    assert streaming.text.count(": here\nid: ") >= 2
    assert streaming.text.rstrip().endswith('event: end\ndata: {"message":"Connect again to go on."}')


async def test_whoever_takes_too_slowly_is_told_so_and_cut_off(streaming: Streaming) -> None:
    task = await started(streaming)
    streaming.gate.clear()
    streaming.feed.told("acme", 1)
    [follower] = streaming.changes.followers
    for revision in range(2, 9):
        streaming.feed.told("acme", revision)
        await asyncio.sleep(0)
    await eventually(lambda: follower.overrun, what="it is overrun")
    streaming.gate.set()
    await task
    assert "event: slow\n" in streaming.text
    assert streaming.text.index('"revision":1') < streaming.text.index("event: slow")
    assert not streaming.changes.followers


async def test_whoever_takes_nothing_at_all_is_dropped(streaming: Streaming) -> None:
    task = await started(streaming, patience_s=0.01)
    streaming.gate.clear()
    streaming.feed.told("acme", 1)
    await task
    assert not streaming.changes.followers
    assert '"revision":1' not in streaming.text


async def test_an_erased_account_is_an_event_of_its_own(streaming: Streaming) -> None:
    streaming.feed.told("other", 1)
    streaming.feed.told("acme", 1)
    streaming.feed.erased("acme", 1)
    task = await started(streaming)
    await eventually(seen(streaming, "event: change\n", "event: erased\n"), what="both have come")
    assert '"kind":"erased","account_id":"acme","revision":1,"change":null' in streaming.text
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not streaming.changes.followers
