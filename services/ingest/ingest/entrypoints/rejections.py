"""REST for producers and operators: what was not taken and why, and trying it again once the cause is mended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from csm_common.clock import Clock
from csm_common.errors import NotFoundError
from csm_common.web.auth import require
from csm_common.web.pages import decode_cursor, encode_cursor
from ingest.application.rejection_views import (
    ListKey,
    RejectionCount,
    RejectionFilter,
    RejectionReads,
    RejectionView,
    Status,
)
from ingest.application.replays import ReplayReport, Replays, Selection
from ingest.entrypoints.lists import (
    NO_NUL,
    Cursor,
    Instant,
    KeyTime,
    Limit,
    Wanted,
    plausible,
    refusals,
)

_ONE_OF = [
    {"required": [name], "properties": {name: {"type": kind}}}
    for name, kind in (("ids", "array"), ("source", "string"), ("code", "string"))
]
_SCHEMA: dict[str, Any] = {"anyOf": [*_ONE_OF, {"required": ["all"], "properties": {"all": {"const": True}}}]}

_Name = Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL)]


@dataclass(frozen=True, slots=True)
class RejectionPage:
    """Rejections, the latest first; pass `next_cursor` on for the next page, None at the end."""

    rejections: Sequence[RejectionView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class RejectionCounts:
    """Open rejections by source and code, most first."""

    counts: Sequence[RejectionCount]


class ReplayRequest(BaseModel):
    """Which open rejections to try again: by id, source or code (all that is told must hold), or all of them."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_SCHEMA)

    ids: Annotated[list[UUID], Field(min_length=1, max_length=1_000)] | None = None
    source: _Name | None = None
    code: _Name | None = None
    all: bool = Field(default=False, strict=True, description="Say so where nothing else is told.")
    limit: int = Field(default=1_000, strict=True, ge=1, le=10_000, description="Try so many at most.")

    @model_validator(mode="after")
    def _is_meant(self) -> Self:
        if not (self.ids or self.source or self.code or self.all):
            raise ValueError("tell which: ids, source, code, or all: true")
        return self

    def selection(self) -> Selection:
        """What is asked for."""
        return Selection(tuple(map(str, self.ids or ())), self.source, self.code)


def rejection_routes(reads: RejectionReads, replays: Replays, clock: Clock) -> APIRouter:
    """GET /v1/rejections, /v1/rejections:counts and /v1/rejections/{id}, POST /v1/rejections:replay."""
    router = APIRouter(prefix="/v1", tags=["rejections"], responses=refusals(400, 401, 403, 422, 503))
    reading, writing = [Depends(require("ingest:read"))], [Depends(require("ingest:write"))]

    @router.get(
        "/rejections",
        summary="What was not taken, the latest first",
        dependencies=reading,
        response_model=RejectionPage,
    )
    async def rejections(
        source: Wanted = None,
        code: Wanted = None,
        format: Wanted = None,
        status: Annotated[Status, Query()] = "open",
        since: Instant = None,
        until: Instant = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        wanted = RejectionFilter(
            source=source, code=code, format=format, status=status,
            since=since and plausible(since), until=until and plausible(until),
        )  # fmt: skip
        found = await reads.page(wanted, clock.now(), before=_before(cursor), limit=limit + 1)
        page, more = found[:limit], len(found) > limit
        next_cursor = encode_cursor(*page[-1][0]) if more else None
        return _json(RejectionPage([view for _, view in page], next_cursor))

    @router.get("/rejections:counts", summary="How many are open, by source and code", dependencies=reading)
    async def counts() -> RejectionCounts:
        return RejectionCounts(await reads.counts(clock.now()))

    @router.get(
        "/rejections/{id}",
        summary="One rejection",
        dependencies=reading,
        response_model=RejectionView,
        responses=refusals(404),
    )
    async def rejection(id: UUID) -> Response:
        found = await reads.one(str(id), clock.now())
        if found is None:
            raise NotFoundError(f"There is no rejection {id}. GET /v1/rejections lists them.")
        return _json(found)

    @router.post("/rejections:replay", summary="Try rejections again", dependencies=writing)
    async def replay(request: ReplayRequest) -> ReplayReport:
        return await replays.run(request.selection(), request.limit)

    return router


def _before(cursor: str | None) -> ListKey | None:
    if not cursor:
        return None
    listed_from, last = decode_cursor(cursor, tuple[KeyTime, UUID])
    return plausible(listed_from), str(last)


def _json(body: object) -> Response:
    # Not through the response model, which would take any message's body apart and put it together again.
    return Response(msgspec.json.encode(body), media_type="application/json")
