"""The HTTP door to what playbooks have done: the effect of one, and how far its runs come."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from csm_common.clock import Clock
from csm_common.web.auth import require
from playbooks.application.effect import Effect, effect_of
from playbooks.application.funnel import Funnel, Funnels, funnel_of
from playbooks.application.measured import (
    Effects,
    Wanted,
)
from playbooks.entrypoints import effect_examples as examples
from playbooks.entrypoints.lists import Instant, RowId, example

Version = Annotated[
    int | None,
    Query(ge=1, le=2**31 - 1, description="Entries into this version alone; all where none is given."),
]
Detect = Annotated[
    float,
    Query(
        ge=0.01,
        le=0.5,
        description="The smallest difference of the rates worth seeing (0.1 is 10 points); a small one takes many accounts.",
    ),
]


def _wanted(name: RowId, version: Version = None, since: Instant = None, until: Instant = None) -> Wanted:
    return Wanted(playbook=name, version=version, since=since, until=until)


Asked = Annotated[Wanted, Depends(_wanted)]


def create_effect_router(effects: Effects, funnels: Funnels, clock: Clock) -> APIRouter:
    """The routes under /v1/playbooks/{name}."""
    router = APIRouter(prefix="/v1/playbooks/{name}", dependencies=[Depends(require("playbooks:read"))])

    @router.get(
        "/effect",
        summary="Whether a playbook does any good: treated accounts against those held out",
        description=(
            "Accounts that entered from `since` to before `until`, each by its first entry. A verdict comes with the"
            " planned sample and not before."
        ),
        responses=example(examples.EFFECT),
    )
    async def get_effect(wanted: Asked, detect: Detect = 0.1) -> Effect:
        return await effect_of(effects, wanted, detect, clock.now())

    @router.get(
        "/funnel",
        summary="How far runs come: for each step who reached it, is at it, or ended there",
        description="Of the active version where none is given. Runs that started from `since` to before `until`.",
        responses=example(examples.FUNNEL),
    )
    async def get_funnel(wanted: Asked) -> Funnel:
        return await funnel_of(funnels, wanted)

    return router
