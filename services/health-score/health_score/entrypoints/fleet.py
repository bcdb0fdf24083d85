"""GET /v1/fleet: the fleet at a glance, or the part of it that passes filters."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field as Told
from starlette.responses import Response

from csm_common.clock import Clock
from health_score.application.account_query import AccountFilters, Days
from health_score.application.fleet import By, Fleet, FleetReads, Frozen, fleet_of
from health_score.application.messages import instant
from health_score.application.models import Models
from health_score.entrypoints.answers import json_answer
from health_score.entrypoints.documented import FLEET_ANSWERS
from health_score.entrypoints.rows import SeenRows


class FleetQuery(AccountFilters):
    """Which accounts, and over which window."""

    days: Days = Told(7, description="The window over which movements and drivers are told.")
    by: list[By] = Told(
        [], description="Also tell of the largest groups by these attributes.", examples=[["segment"]]
    )


def create_fleet_router(reads: FleetReads, models: Models, clock: Clock) -> APIRouter:
    """The route of the fleet."""
    router = APIRouter(prefix="/v1", tags=["accounts"])

    @router.get(
        "/fleet", response_model=Fleet, summary="How the fleet is, and what moved it", responses=FLEET_ANSWERS
    )
    async def get_fleet(query: Annotated[FleetQuery, Query()], rows: SeenRows) -> Response:
        """All figures are of one instant and of the accounts that pass the filters."""
        now = clock.now()
        since = now - timedelta(days=query.days)
        filters = AccountFilters.within(query)
        read = await reads.fleet(filters, rows, dict.fromkeys(query.by), since, now)
        silent = [Frozen(type=each, since=instant(at)) for each, at in sorted(models.latest.silences.items())]
        return json_answer(fleet_of(read, silent, since, now))

    return router
