"""The door for dead letters: what did not reach its recipient and why, and sending it anew once the cause is mended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from msgspec import Meta
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from csm_common.clock import Clock
from csm_common.errors import NotFoundError
from csm_common.web.auth import Principal, require
from csm_common.web.pages import decode_cursor, encode_cursor
from notifier.application.dead_letters import (
    MOST,
    DeadCode,
    DeadLetter,
    DeadLetterCount,
    DeadLetterDetail,
    DeadLetterFilter,
    OpenDeadLetters,
    Replay,
    Replayed,
    Wanted,
)
from notifier.application.handlers.dead_letters import replay
from notifier.application.ports import OpenWork
from notifier.entrypoints import dead_letters_examples as examples
from notifier.entrypoints.dead_letters_examples import example

_NO_NUL = r"^[^\x00]*$"
_Wanted = Annotated[str | None, Query(max_length=500, pattern=_NO_NUL)]
_Id = Annotated[str, Path(max_length=500, pattern=_NO_NUL)]
_Name = Annotated[str, Field(min_length=1, max_length=500, pattern=_NO_NUL)]
_Time = Annotated[datetime, Meta(tz=True)]
_Key = Annotated[str, Meta(pattern=_NO_NUL)]
_REPLAY = """
Under the same ids, so that a receiver that knows an id still knows it. Attempts so far count no more; the contact policy decides
again as each goes. What is under way already is left as it is.
"""
_By = Annotated[Principal, Depends(require("notifications:write"))]


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """Some dead letters, newest first; `next_cursor` leads to older ones and is None at the end."""

    dead_letters: Sequence[DeadLetter]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class DeadLetterCounts:
    """How many there are, by channel and code."""

    counts: Sequence[DeadLetterCount]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Which(_Body):
    """All that is told must hold; `{}` is every dead letter."""

    account: _Name | None = None
    channel: _Name | None = None
    playbook: _Name | None = None
    code: DeadCode | None = None


class ReplayRequest(_Body):
    """Which, by `ids` or by `filter`; how fast; and why. One that has expired needs a new `expires_at`."""

    ids: list[_Name] | None = Field(default=None, min_length=1, max_length=1_000)
    filter: Which | None = None
    limit: int = Field(default=1_000, ge=1, le=MOST, description="Of a filter, so many at most.")
    per_second: float = Field(default=1.0, ge=0.01, le=50.0)
    expires_at: AwareDatetime | None = None
    note: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")

    @model_validator(mode="after")
    def _one_of_them(self) -> "ReplayRequest":
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give either ids or a filter; filter: {} is every dead letter")
        return self


def _filter(
    account: _Wanted = None,
    channel: _Wanted = None,
    playbook: _Wanted = None,
    code: Annotated[DeadCode | None, Query(description="What it died of.")] = None,
) -> DeadLetterFilter:
    return DeadLetterFilter(account_id=account, channel=channel, playbook=playbook, code=code)


_Filter = Annotated[DeadLetterFilter, Depends(_filter)]


def dead_letter_routes(
    open_dead_letters: OpenDeadLetters, open_work: OpenWork, clock: Clock, on_replayed: Callable[[], None]
) -> APIRouter:
    """The routes under /v1; `on_replayed` is told once something may be due."""
    router = APIRouter(prefix="/v1", tags=["dead letters"])
    reads = [Depends(require("notifications:read"))]

    @router.get(
        "/dead-letters",
        dependencies=reads,
        summary="Messages that failed, reached nobody, or may have been lost",
        responses=example(examples.PAGE),
    )
    async def dead_letters(
        wanted: _Filter, limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: str | None = None
    ) -> DeadLetterPage:
        before = decode_cursor(cursor, tuple[_Time, _Key]) if cursor else None
        async with open_dead_letters() as dead:
            found = await dead.page(wanted, before, limit + 1)
        items = found[:limit]
        more = len(found) > limit
        return DeadLetterPage(items, encode_cursor(items[-1].requested_at, items[-1].id) if more else None)

    @router.get(
        "/dead-letters:counts",
        dependencies=reads,
        summary="How many there are, by channel and code",
        responses=example(examples.COUNTS),
    )
    async def counts(wanted: _Filter) -> DeadLetterCounts:
        async with open_dead_letters() as dead:
            return DeadLetterCounts(await dead.counts(wanted))

    @router.get(
        "/dead-letters/{notification_id}",
        dependencies=reads,
        summary="One with its attempts and the decisions about it",
        responses=example(examples.DETAIL),
    )
    async def dead_letter(notification_id: _Id) -> DeadLetterDetail:
        async with open_dead_letters() as dead:
            found = await dead.one(notification_id)
        async with open_work() as work:
            detail = await work.notifications.detail(notification_id)
        if found is None or detail is None:
            state = "unknown" if detail is None else detail.status.value
            raise NotFoundError(f"There is no dead letter {notification_id!r}: that notification is {state}.")
        return DeadLetterDetail(dead_letter=found, notification=detail)

    @router.post(
        "/dead-letters:replay",
        summary="Send dead letters anew, so many a second",
        description=_REPLAY,
        responses=example(examples.REPLAYED),
    )
    async def replay_dead_letters(body: ReplayRequest, by: _By) -> Replayed:
        async with open_dead_letters() as dead:
            replayed = await replay(dead, _wanted(body), _replay(body, by), clock.now())
        on_replayed()
        return replayed

    return router


def _wanted(body: ReplayRequest) -> Wanted:
    if body.ids is not None:
        return Wanted(ids=body.ids)
    which = body.filter or Which()
    return Wanted(
        filter=DeadLetterFilter(
            account_id=which.account, channel=which.channel, playbook=which.playbook, code=which.code
        ),
        limit=body.limit,
    )


def _replay(body: ReplayRequest, by: Principal) -> Replay:
    expires_at = None if body.expires_at is None else body.expires_at.astimezone(UTC)
    return Replay(actor=f"key:{by.source}", note=body.note, per_second=body.per_second, expires_at=expires_at)
