"""The HTTP door to simulations: what a playbook would do with an account, or would have done with the past. Nothing changes."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from csm_common.errors import InvalidError
from csm_common.web.auth import require
from playbooks.application.simulation_desk import How, SimulationDesk, Span
from playbooks.application.simulation_history import History
from playbooks.application.simulation_request import Instant, Walked
from playbooks.application.simulation_walk import Walk
from playbooks.entrypoints.definitions_api import Name, VersionQuery

Written = Annotated[
    Annotated[str, Field(max_length=256 * 1024)] | dict[str, Any],
    Field(description="A playbook: YAML in a string, or JSON as it is."),
]


OTHERS = Field(
    default=False,
    description="The other active playbooks are in force, too: purposes and priorities between them count.",
)


class WalkRequest(Walked):
    """A scenario, and what else the account is measured by."""

    force: bool = Field(
        default=False,
        description="Whoever crosses the trigger enters: audience, holdout, limits and once_per are left out.",
    )
    with_runs: bool = Field(
        default=False,
        description="Begin with the account's runs as they are; otherwise it has none, and never entered.",
    )
    with_others: bool = OTHERS

    @property
    def how(self) -> How:
        """What it is measured by."""
        return How(force=self.force, with_runs=self.with_runs, with_others=self.with_others)


class WrittenWalkRequest(WalkRequest):
    """A scenario for a playbook that need not be stored."""

    definition: Written


class HistoryRequest(BaseModel):
    """Which playbook, by name or written here, and which time of the past."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")] | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    definition: Written | None = None
    since: Instant = Field(alias="from")
    to: Instant
    limit: int = Field(default=10_000, ge=1, le=100_000, description="At most so many crossings.")
    first: int = Field(default=20, ge=0, le=1_000, description="So many entrances one by one.")
    with_others: bool = OTHERS

    @property
    def span(self) -> Span:
        """Which part of the past."""
        return Span(
            since=self.since, before=self.to, limit=self.limit, first=self.first, with_others=self.with_others
        )


_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {
        "description": "The scenario or the playbook cannot be used; the message, or `errors`, has every mistake."
    },
    404: {"description": "No such playbook, version or account."},
}


def create_simulation_router(desk: SimulationDesk) -> APIRouter:
    """The routes that end in :simulate and :simulate-history."""
    router = APIRouter(prefix="/v1", tags=["playbooks"], dependencies=[Depends(require("playbooks:read"))])

    @router.post(
        "/playbooks/{name}:simulate",
        responses=_REFUSED,
        summary="What a stored playbook would do with an account, step by step, with instants and reasons",
    )
    async def simulate_stored(name: Name, body: WalkRequest, version: VersionQuery | None = None) -> Walk:
        playbook = await desk.named(name, version)
        return await desk.walk(playbook, body, body.how)

    @router.post(
        "/playbooks:simulate",
        responses=_REFUSED,
        summary="The same for a playbook that is written in the request",
    )
    async def simulate_written(body: WrittenWalkRequest) -> Walk:
        return await desk.walk(desk.given(body.definition), body, body.how)

    @router.post(
        "/playbooks:simulate-history",
        responses=_REFUSED,
        summary="What a playbook would have done with the crossings of the past: entries, messages, and their peaks",
    )
    async def simulate_history(body: HistoryRequest) -> History:
        if (body.name is None) == (body.definition is None):
            raise InvalidError("Give either the `name` of a stored playbook or a `definition`.")
        if body.definition is not None:
            playbook = desk.given(body.definition)
        else:
            playbook = await desk.named(body.name or "", body.version)
        return await desk.history(playbook, body.span)

    return router
