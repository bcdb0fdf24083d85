"""REST for CS tooling: accounts, their health, and the counts of what came in."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from msgspec import Meta
from starlette.responses import Response

from csm_common.clock import Clock
from csm_common.contracts.health import AccountSnapshot
from csm_common.errors import NotFoundError
from csm_common.web.auth import require
from csm_common.web.pages import decode_cursor, encode_cursor
from health_score.application.health_report import AccountHealth, health_report
from health_score.application.models import Models
from health_score.application.ports import AccountReads, Stats

# PostgreSQL has no NUL in a text, so nothing that holds one can be found.
_NO_NUL = r"^[^\x00]*$"
AccountId = Annotated[str, Path(pattern=_NO_NUL, description="As events tell it; it may hold slashes.")]
_Key = Annotated[str, Meta(pattern=_NO_NUL)]


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One page of accounts in the order of their ids; pass `next_cursor` on for the next page, None at the end."""

    accounts: list[AccountSnapshot]
    next_cursor: str | None


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")


def _unknown(account_id: str) -> NotFoundError:
    return NotFoundError(f"No fact about the account {account_id!r} has been folded yet.")


def create_router(reads: AccountReads, models: Models, clock: Clock) -> APIRouter:
    """The routes under /v1."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(require("health:read"))])

    @router.get("/accounts", response_model=AccountPage, summary="Accounts with their newest snapshot")
    async def list_accounts(
        band: Annotated[
            str | None, Query(pattern=_NO_NUL, description="Only accounts in this band, e.g. at_risk.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    ) -> Response:
        after = decode_cursor(cursor, tuple[_Key])[0] if cursor else ""
        rows = await reads.page(after=after, band=band, limit=limit)
        next_cursor = encode_cursor(rows[-1][0]) if len(rows) == limit else None
        return _json(
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
            raise _unknown(account_id)
        state, due_at = found
        report = health_report(models.card_of(state), state, due_at, clock.now(), models.latest.silences)
        return _json(report)

    @router.get(
        "/accounts/{account_id:path}", response_model=AccountSnapshot, summary="An account's newest snapshot"
    )
    async def get_account(account_id: AccountId) -> Response:
        snapshot = await reads.snapshot(account_id)
        if snapshot is None:
            raise _unknown(account_id)
        return Response(snapshot, media_type="application/json")

    @router.get("/stats", response_model=Stats, summary="What became of every record so far")
    async def get_stats() -> Response:
        return _json(await reads.stats())

    return router
