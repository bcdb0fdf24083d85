"""REST for CS tooling: lists of accounts, one account, its health now, and the counts of what came in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Self

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field as Told
from pydantic import model_validator
from starlette.responses import Response

from csm_common.clock import Clock
from csm_common.contracts.health import AccountSnapshot
from csm_common.web.auth import require
from csm_common.web.etags import conditional, etag_of
from csm_common.web.rows import Rows
from health_score.application.account_fields import read_fields
from health_score.application.account_query import AccountFilters, Sort, Text
from health_score.application.health_report import AccountHealth, health_report
from health_score.application.models import Models
from health_score.application.ports import Stats
from health_score.application.read_ports import AccountLists, AccountReads, ListedRow, unknown_account
from health_score.application.walk import Order, Place, read_cursor, write_cursor
from health_score.entrypoints.answers import AccountId, json_answer
from health_score.entrypoints.documented import (
    ACCOUNT_ANSWERS,
    FIELDS,
    HEALTH_ANSWERS,
    LIST_ANSWERS,
    STATS_ANSWERS,
)
from health_score.entrypoints.listed import answered
from health_score.entrypoints.rows import SCOPE, SeenRows, sees_account


class ListQuery(AccountFilters):
    """What a page of accounts is asked for by."""

    sort: Sort = Told(
        "account_id",
        description="By what, `-` first for the largest first. Accounts without it come last; ids break ties.",
        examples=["-score"],
    )
    limit: int = Told(100, ge=1, le=500, description="At most so many accounts.")
    cursor: Text | None = Told(
        None, description="`next_cursor` of the page before, with the same sort and filters."
    )
    fields: Text | None = Told(None, description=FIELDS, examples=["score,band,attributes.owner"])
    count: bool = Told(False, description="Also tell how many accounts pass the filters: `total`.")

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        if self.sort.endswith("change") and self.changed_days is None:
            raise ValueError("sort=change needs changed_days: the window to compare over")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAccount(AccountSnapshot):
    """An account's newest snapshot, with `change` where `changed_days` asks for it."""

    change: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """One page; pass `next_cursor` on for the next page, None at the end. With `fields`, accounts have these alone."""

    accounts: list[ListedAccount]
    next_cursor: str | None
    total: int | None = None


def create_router(reads: AccountReads, lists: AccountLists, models: Models, clock: Clock) -> APIRouter:
    """The routes under /v1. To be included last: the id of an account may hold slashes."""
    router = APIRouter(prefix="/v1", tags=["accounts"])
    seen = [Depends(sees_account(reads))]

    @router.get(
        "/accounts",
        response_model=AccountPage,
        summary="Accounts by filter and order",
        responses=LIST_ANSWERS,
    )
    async def list_accounts(
        query: Annotated[ListQuery, Query()], rows: SeenRows, request: Request
    ) -> Response:
        """A walk through all pages shows an account at most once, and each whose sort key stays as it was when the walk began.
        One whose key moves meanwhile is left out of the further pages; by `account_id`, which never moves, none ever is."""
        body, tag = await _page(query, rows, lists, models, clock)
        return conditional(request, json_answer(body), tag)

    @router.get("/accounts/{account_id:path}/health", response_model=AccountHealth, summary="Its health now, part by part",
        responses=HEALTH_ANSWERS, dependencies=seen)  # fmt: skip
    async def get_health(account_id: AccountId) -> Response:
        """Judged at this very moment: time moves values, so there is no ETag that would hold for a second."""
        found = await reads.state(account_id)
        if found is None:
            raise unknown_account(account_id)
        return json_answer(health_report(models.card_of(found), found, clock.now(), models.latest.silences))

    @router.get("/accounts/{account_id:path}", response_model=AccountSnapshot, summary="An account's newest snapshot",
        responses=ACCOUNT_ANSWERS, dependencies=seen)  # fmt: skip
    async def get_account(account_id: AccountId, request: Request) -> Response:
        snapshot = await reads.snapshot(account_id)
        if snapshot is None:
            raise unknown_account(account_id)
        return conditional(request, Response(snapshot, media_type="application/json"), etag_of(snapshot))

    @router.get(
        "/stats",
        response_model=Stats,
        summary="What became of every record so far",
        responses=STATS_ANSWERS,
        dependencies=[Depends(require(SCOPE))],
    )
    async def get_stats() -> Response:
        """Of the whole fleet, so for callers who may see all accounts alone."""
        return json_answer(await reads.stats())

    return router


async def _page(
    query: ListQuery, rows: Rows, lists: AccountLists, models: Models, clock: Clock
) -> tuple[dict[str, Any], str]:
    """A page and its tag. The tag is weak and of the accounts alone: cursors tell of the moment at which a walk began."""
    now, filters = clock.now(), AccountFilters.within(query)
    fields = read_fields(query.fields, models.latest.known.values())
    after = read_cursor(query.cursor, query.sort, filters) if query.cursor else None
    found = await lists.page(filters, rows, Order.of(query.sort), after, query.limit, now)
    accounts = [answered(each, fields, compared=filters.changed_days is not None) for each in found]
    body: dict[str, Any] = {"accounts": accounts, "next_cursor": None}
    if len(found) == query.limit:
        body["next_cursor"] = write_cursor(query.sort, filters, _place(found, after, filters, now))
    if query.count:
        body["total"] = await lists.count(filters, rows, now)
    return body, etag_of(
        msgspec.json.encode((accounts, body.get("total"), len(found) == query.limit)), weak=True
    )


def _place(found: Sequence[ListedRow], after: Place | None, filters: AccountFilters, now: datetime) -> Place:
    """Where the page ends, with what the walk's first page fixed."""
    last = found[-1]
    if after is not None:
        return replace(after, key=last.key, account_id=last.account_id)
    return Place(last.key, last.account_id, found[0].seen, filters.compared_with(now))
