"""REST for producers and operators: which systems send, how they are doing, and what they send wrongly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from csm_common.clock import Clock
from csm_common.errors import NotFoundError
from csm_common.web.auth import require
from csm_common.web.pages import decode_cursor, encode_cursor
from ingest.application.source_health import (
    SourceHealth,
    SourceReads,
    SourceSummary,
    ViolationKey,
    ViolationReport,
    health_of,
)
from ingest.entrypoints.lists import NO_NUL, Cursor, KeyText, KeyTime, Limit, plausible, refusals

Source = Annotated[
    str,
    Path(
        max_length=500,
        pattern=NO_NUL,
        description="The source as events name it; it may hold slashes, such as sdk/web-app.",
    ),
]


@dataclass(frozen=True, slots=True)
class SourcePage:
    """Sources in the order of their names; pass `next_cursor` on for the next page, None at the end."""

    sources: Sequence[SourceSummary]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ViolationPage:
    """A source's violations, the latest first; pass `next_cursor` on for the next page, None at the end."""

    violations: Sequence[ViolationReport]
    next_cursor: str | None


def source_routes(reads: SourceReads, clock: Clock) -> APIRouter:
    """GET /v1/sources, /v1/sources/{source}/health and /v1/sources/{source}/violations."""
    router = APIRouter(
        prefix="/v1/sources",
        tags=["sources"],
        dependencies=[Depends(require("ingest:read"))],
        responses=refusals(400, 401, 403, 422, 503),
    )

    @router.get("", summary="Sources that sent something in the last eight days")
    async def sources(limit: Limit = 50, cursor: Cursor = None) -> SourcePage:
        after = decode_cursor(cursor, tuple[KeyText])[0] if cursor else ""
        found = await reads.page(clock.now(), after=after, limit=limit + 1)
        page, more = found[:limit], len(found) > limit
        return SourcePage(page, encode_cursor(page[-1].source) if more else None)

    @router.get("/{source:path}/health", summary="How a source is doing", responses=refusals(404))
    async def health(source: Source) -> SourceHealth:
        found = await health_of(reads, source, clock.now())
        if found is None:
            raise NotFoundError(
                f"Nothing came from {source!r} in the last eight days. GET /v1/sources lists who sends."
            )
        return found

    @router.get("/{source:path}/violations", summary="What a source sends against its tracking plan")
    async def violations(source: Source, limit: Limit = 50, cursor: Cursor = None) -> ViolationPage:
        before = _before(cursor) if cursor else None
        found = await reads.violations(source, before=before, limit=limit + 1)
        page, more = found[:limit], len(found) > limit
        return ViolationPage(page, encode_cursor(*_key(page[-1])) if more else None)

    return router


def _before(cursor: str) -> ViolationKey:
    last_at, *names = decode_cursor(cursor, tuple[KeyTime, KeyText, KeyText, KeyText])
    return (plausible(last_at), *names)


def _key(violation: ViolationReport) -> ViolationKey:
    return violation.last_at, violation.name, violation.path, violation.rule
