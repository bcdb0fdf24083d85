"""REST: the change feed, as pages to poll or a stream of server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import format_sse_event
from msgspec import Meta
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Send

from csm_common.web.pages import decode_cursor, encode_cursor
from health_score.application.changes import PAGE, Changes
from health_score.application.changes_ports import BEGINNING, FeedRow, Page, Position, Wanted
from health_score.application.explaining_ports import Change
from health_score.entrypoints.answers import NO_NUL, json_answer
from health_score.entrypoints.rows import SeenRows
from health_score.entrypoints.told_examples import FEED

_STREAM = "text/event-stream"
_RETRY_MS = 1_000

_Number = Annotated[int, Meta(ge=-1, le=2**63 - 1)]
_Text = Annotated[str | None, Query(pattern=NO_NUL)]

_DESCRIPTION = """
Every change of any account's health that you may see, in an order in which none is missed although transactions commit out of
order. Pass `cursor` on as `since`. Without `since` the feed begins now: take a cursor, then read the accounts, then follow.

- **Polling:** answers at once when there is something behind the cursor, or else waits up to `wait` seconds. An answer without
  changes has a new cursor too. `more` says that the next page is there already.
- **Streaming:** with `Accept: text/event-stream` each change is an event `change` whose id is the cursor, so `Last-Event-ID`
  resumes. Comments keep the connection alive. The stream ends after 15 minutes and when the service stops: connect again. Whoever
  takes too slowly gets an event `slow` and has to do so as well.

An account that was erased is told as `erased`, with `change: null` and the last revision that was told of it: delete what you
hold of it. Its changes are gone from the feed. Keys limited to a team or an owner are not told of erasures.

`owner` and `team` are those the account has now.
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """Of a stream, in seconds: how often it tells that it is there, how long it lasts (then the client comes back with its key,
    which may have been revoked), and how long a client may take to take what is sent."""

    heartbeat_s: float = 15.0
    longest_s: float = 900.0
    patience_s: float = 30.0


_PACE = Pace()


@dataclass(frozen=True, slots=True)
class FeedChange:
    """A change of an account (None: it was erased), and the cursor behind it."""

    cursor: str
    kind: Literal["change", "erased"]
    account_id: str
    revision: int
    change: Change | None


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Pass `cursor` on as `since`; `more`: there is something behind it already."""

    changes: list[FeedChange]
    cursor: str
    more: bool


def create_changes_router(changes: Changes, pace: Pace = _PACE) -> APIRouter:
    """The route under /v1."""
    router = APIRouter(prefix="/v1", tags=["changes"])

    @router.get(
        "/changes",
        response_model=ChangesPage,
        summary="Every change of any account's health, as it comes",
        description=_DESCRIPTION,
        responses={200: {"content": {"application/json": {"example": FEED}, _STREAM: {"example": _EXAMPLE}}}},
    )
    async def get_changes(
        request: Request,
        rows: SeenRows,
        since: Annotated[
            str | None, Query(description="A cursor, or `beginning`; from now on unless told.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait for something.")] = 0.0,
        band: Annotated[str | None, Query(pattern=NO_NUL, description="Into this band or out of it.")] = None,
        min_change: Annotated[
            float, Query(ge=0, le=100, description="The band, or the score by so many points.")
        ] = 0.0,
        owner: _Text = None,
        team: _Text = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        wanted = Wanted(rows=rows, band=band, min_change=min_change, owner=owner, team=team)
        streams = _STREAM in request.headers.get("accept", "")
        after = await changes.begin(_position((last_event_id if streams else None) or since))
        if streams:
            return _EventStream(_events(changes, after, wanted, pace), pace.patience_s)
        if since is None and wait == 0.0:
            return json_answer(_page(Page((), after, False)))
        if wait == 0.0:
            return json_answer(_page(await changes.read(after, wanted, limit)))
        return json_answer(_page(await changes.wait(after, wanted, limit, wait)))

    return router


_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}  # the second for proxies that would hold events back

_EXAMPLE = """retry: 1000

event: change
id: WzkxMiwiYWNtZSIsN10
data: {"cursor": "WzkxMiwiYWNtZSIsN10", "kind": "change", "account_id": "acme", "revision": 7, "change": {"score": 48.2, …}}

"""


def _position(cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    if cursor == "beginning":
        return BEGINNING
    found: Any = decode_cursor(cursor, tuple[_Number, Annotated[str, Meta(pattern=NO_NUL)], _Number])
    return Position(*found)


def _told(row: FeedRow) -> FeedChange:
    kind: Literal["change", "erased"] = "erased" if row.change is None else "change"
    at = row.position
    return FeedChange(encode_cursor(*at), kind, at.account_id, at.revision, row.change)


def _page(page: Page) -> ChangesPage:
    return ChangesPage([_told(row) for row in page.rows], encode_cursor(*page.reached), page.more)


class _EventStream(StreamingResponse):
    """A stream that does not wait for ever for a client to take what is sent: then the connection is closed."""

    def __init__(self, events: AsyncIterator[bytes], patience_s: float) -> None:
        super().__init__(events, media_type=_STREAM, headers=_HEADERS)
        self._patience_s = patience_s

    async def stream_response(self, send: Send) -> None:
        """Send event by event; give up where one takes too long."""

        async def patiently(message: Message) -> None:
            async with asyncio.timeout(self._patience_s):
                await send(message)

        async with aclosing(self.body_iterator):  # type: ignore[type-var]
            try:
                await super().stream_response(patiently)
            except TimeoutError:
                return


async def _events(changes: Changes, after: Position, wanted: Wanted, pace: Pace) -> AsyncIterator[bytes]:
    """What was, up to the end of the feed, then what comes, until somebody has had enough."""
    ends = time.monotonic() + pace.longest_s
    yield format_sse_event(retry=_RETRY_MS, id=encode_cursor(*after))
    more = True
    while more and not changes.closing:
        page = await changes.read(after, wanted, PAGE)
        yield _encoded(page)
        after, more = page.reached, page.more
    async with changes.following(after, wanted) as follower:
        async for page in changes.pages(after, follower, wanted):
            yield _encoded(page)
        while not changes.closing and time.monotonic() < ends:
            yield _encoded(await follower.take(pace.heartbeat_s))
            if follower.overrun:
                yield _farewell("slow", "You take too slowly; connect again to go on.")
                return
    yield _farewell("end", "Connect again to go on.")


def _farewell(event: str, message: str) -> bytes:
    return format_sse_event(event=event, data_str=msgspec.json.encode({"message": message}).decode())


def _encoded(page: Page) -> bytes:
    """The events of a page, and a comment that moves the cursor on and keeps the connection alive."""
    events = [
        format_sse_event(event=each.kind, id=each.cursor, data_str=msgspec.json.encode(each).decode())
        for each in map(_told, page.rows)
    ]
    return b"".join([*events, format_sse_event(id=encode_cursor(*page.reached), comment="here")])
