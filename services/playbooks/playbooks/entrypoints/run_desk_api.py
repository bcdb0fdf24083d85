"""The HTTP door for people's hands on runs: try again, cancel, skip a wait; one run, or all of a playbook."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from playbooks.application.actor import Actor
from playbooks.application.reads import RunFilter
from playbooks.application.run_bulk import BulkCancelled, BulkDesk
from playbooks.application.run_desk import Handled, RunDesk
from playbooks.domain.rules import STRICT
from playbooks.entrypoints import examples
from playbooks.entrypoints.actor import require_actor
from playbooks.entrypoints.lists import Reason, RowId, example

Name = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z][a-z0-9_]*$")]
"""Of a playbook or a step."""

By = Annotated[Actor, Depends(require_actor("playbooks:write"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Why the run is ended."""

    __pydantic_config__ = STRICT

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Why the wait is ended. With `step`, the one that waits, a request that is sent twice ends one wait."""

    __pydantic_config__ = STRICT

    reason: Reason
    step: Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelMany:
    """Which active runs are ended, and why; `dry_run` only counts them."""

    __pydantic_config__ = STRICT

    playbook: Name
    reason: Reason
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    step: Name | None = None
    dry_run: bool = False


def create_run_desk_router(desk: RunDesk, bulk: BulkDesk) -> APIRouter:
    """The routes under /v1 that change runs."""
    router = APIRouter(prefix="/v1", tags=["runs"])

    @router.post(
        "/runs/{run_id}:retry",
        summary="Take a failed run up again at its step",
        responses=example(examples.HANDLED),
    )
    async def retry_run(run_id: RowId, actor: By) -> Handled:
        return await desk.retry(run_id, actor)

    @router.post("/runs/{run_id}:cancel", summary="End an active run", responses=example(examples.HANDLED))
    async def cancel_run(run_id: RowId, body: Cancel, actor: By) -> Handled:
        return await desk.cancel(run_id, actor, body.reason)

    @router.post(
        "/runs/{run_id}:skip", summary="End the wait a run is in", responses=example(examples.HANDLED)
    )
    async def skip_wait(run_id: RowId, body: Skip, actor: By) -> Handled:
        return await desk.skip(run_id, actor, body.reason, body.step)

    @router.post(
        "/runs:cancel",
        summary="End all active runs of a playbook, a version or a step; at most 5,000 a request",
        responses=example(examples.BULK_CANCELLED),
    )
    async def cancel_runs(body: CancelMany, actor: By) -> BulkCancelled:
        wanted = RunFilter(playbook=body.playbook, version=body.version, step=body.step)
        return await bulk.cancel(wanted, actor, body.reason, dry_run=body.dry_run)

    return router
