"""REST for CS tooling: accounts, their health, and the counts of what came in."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query
from msgspec import Meta
from starlette.responses import Response

from csm_common.clock import Clock
from csm_common.contracts.health import AccountSnapshot
from csm_common.web.auth import require
from csm_common.web.pages import decode_cursor, encode_cursor
from health_score.application.health_report import AccountHealth, health_report
from health_score.application.models import Models
from health_score.application.ports import AccountReads, Stats
from health_score.entrypoints.answers import NO_NUL, AccountId, json_answer, unknown_account

_Key = Annotated[str, Meta(pattern=NO_NUL)]


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One page of accounts in the order of their ids; pass `next_cursor` on for the next page, None at the end."""

    accounts: list[AccountSnapshot]
    next_cursor: str | None


def create_router(reads: AccountReads, models: Models, clock: Clock) -> APIRouter:
    """The routes under /v1."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(require("health:read"))])

    @router.get("/accounts", response_model=AccountPage, summary="Accounts with their newest snapshot")
    async def list_accounts(
        band: Annotated[
            str | None, Query(pattern=NO_NUL, description="Only accounts in this band, e.g. at_risk.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    ) -> Response:
        after = decode_cursor(cursor, tuple[_Key])[0] if cursor else ""
        rows = await reads.page(after=after, band=band, limit=limit)
        next_cursor = encode_cursor(rows[-1][0]) if len(rows) == limit else None
        return json_answer(
            {"accounts": [msgspec.Raw(snapshot) for _, snapshot in rows], "next_cursor": next_cursor}
        )

    # Before the route of the account itself, whose id may hold slashes.
    @router.get(
        "/accounts/{account_id:path}/health",
        response_model=AccountHealth,
        summary="Its health now, part by part",
    )
    async def get_health(account_id: AccountId) -> Response:
        found = await reads.state(account_id)
        if found is None:
            raise unknown_account(account_id)
        state, due_at = found
        report = health_report(models.card_of(state), state, due_at, clock.now(), models.latest.silences)
        return json_answer(report)

    @router.get(
        "/accounts/{account_id:path}", response_model=AccountSnapshot, summary="An account's newest snapshot"
    )
    async def get_account(account_id: AccountId) -> Response:
        snapshot = await reads.snapshot(account_id)
        if snapshot is None:
            raise unknown_account(account_id)
        return Response(snapshot, media_type="application/json")

    @router.get("/stats", response_model=Stats, summary="What became of every record so far")
    async def get_stats() -> Response:
        return json_answer(await reads.stats())

    return router
