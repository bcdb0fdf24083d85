"""REST: an account's history, change by change or for charts, and the crossings of thresholds."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Query
from msgspec import Meta
from starlette.responses import Response

from csm_common.contracts.health import Crossing
from csm_common.web.pages import decode_cursor, encode_cursor
from csm_common.web.rows import ALL_ROWS
from health_score.application.explaining_ports import CrossingsAsked, HistoryReads
from health_score.application.read_ports import unknown_account
from health_score.application.told import ChangePage, ChartPage, Histories
from health_score.entrypoints.answers import NO_NUL, AccountId, json_answer
from health_score.entrypoints.rows import SeenRows, Sight, sees_account
from health_score.entrypoints.times import Time
from health_score.entrypoints.told_examples import CHANGES, CHART

_Revision = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Aware = Annotated[datetime, Meta(tz=True)]

Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]
Name = Annotated[
    str | None, Query(pattern=NO_NUL, description="Only of this threshold.", examples=["at_risk"])
]
Way = Annotated[Literal["entered", "left"] | None, Query(description="Only in this direction.")]

_HISTORY = """
With `resolution=raw` every change as it was told, the oldest first: when it was known and when what caused it happened, the
cause with the ids of the facts, score and band before and after, the scorecard that judged, and the parts that moved. With any
other resolution (15m, 1h, 1d, 1w …) even stretches of time for a chart, carried over where nothing happened.

`model_changes` are the fleet's changes of the model in that time; `by_model` marks what they did to this account, so that a new
model is never read as the customer's behaviour.
"""


_EXAMPLES = {
    "raw": {"summary": "Change by change", "value": CHANGES},
    "chart": {"summary": "For a chart, with resolution=1d", "value": CHART},
}


@dataclass(frozen=True, slots=True)
class AnnouncedCrossing:
    """A crossing with the id it was announced under."""

    id: str
    crossing: Crossing


@dataclass(frozen=True, slots=True)
class CrossingPage:
    """Crossings, the newest first; pass `next_cursor` on for older ones, None at the end."""

    crossings: list[AnnouncedCrossing]
    next_cursor: str | None


def create_history_router(histories: Histories, reads: HistoryReads, sight: Sight) -> APIRouter:
    """The routes under /v1. To be included before that of the account itself, whose id may hold slashes."""
    router = APIRouter(prefix="/v1", tags=["histories"])
    seen = [Depends(sees_account(sight))]

    @router.get(
        "/accounts/{account_id:path}/history",
        response_model=ChangePage | ChartPage,
        summary="How its health came about",
        description=_HISTORY,
        dependencies=seen,
        responses={200: {"content": {"application/json": {"examples": _EXAMPLES}}}},
    )
    async def get_history(
        account_id: AccountId,
        start: Annotated[Time | None, Query(alias="from", description="The beginning unless told.")] = None,
        end: Annotated[Time | None, Query(alias="to", description="Not included; now unless told.")] = None,
        resolution: Annotated[str, Query(examples=["raw", "1h", "1d", "1w"])] = "raw",
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        page: ChangePage | ChartPage | None
        if resolution == "raw":
            after = decode_cursor(cursor, tuple[_Revision])[0] if cursor else -1
            page = await histories.changes(account_id, start, end, after, limit)
            if page is not None and len(page.changes) == limit:
                page = replace(page, next_cursor=encode_cursor(page.changes[-1].revision))
        else:
            page = await histories.chart(account_id, start, end, resolution)
        if page is None:
            raise unknown_account(account_id)
        return json_answer(page)

    @router.get(
        "/accounts/{account_id:path}/crossings",
        response_model=CrossingPage,
        summary="The thresholds it entered and left",
        dependencies=seen,
    )
    async def get_crossings(
        account_id: AccountId,
        threshold: Name = None,
        direction: Way = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        if await reads.first(account_id) is None:
            raise unknown_account(account_id)
        asked = CrossingsAsked(rows=ALL_ROWS, account_id=account_id, threshold=threshold, direction=direction)
        return await crossings(asked, limit, cursor)

    @router.get("/crossings", response_model=CrossingPage, summary="The crossings of all accounts")
    async def list_crossings(
        rows: SeenRows,
        threshold: Name = None,
        direction: Way = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        return await crossings(
            CrossingsAsked(rows=rows, threshold=threshold, direction=direction), limit, cursor
        )

    async def crossings(asked: CrossingsAsked, limit: int, cursor: str | None) -> Response:
        before: Any = decode_cursor(cursor, tuple[_Aware, _Revision, UUID]) if cursor else None
        place = None if before is None else (before[0], before[1], str(before[2]))
        found = await reads.crossings(asked, place, limit)
        last = found[-1] if len(found) == limit else None
        return json_answer(
            {
                "crossings": [{"id": each.id, "crossing": msgspec.Raw(each.crossing)} for each in found],
                "next_cursor": None
                if last is None
                else encode_cursor(last.occurred_at, last.revision, last.id),
            }
        )

    return router
