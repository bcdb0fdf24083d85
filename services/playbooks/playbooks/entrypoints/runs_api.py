"""The HTTP door to read by: runs with their story, and what crossings meant for playbooks."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from csm_common.errors import NotFoundError
from csm_common.web.auth import require
from playbooks.application.model import Entry
from playbooks.application.reads import EntryFilter, EntryOutcome, Reads, RunFilter, entry_key
from playbooks.application.timeline import RunDetail, RunView, run_detail, run_view
from playbooks.domain.entry import RefusalCode
from playbooks.domain.run import Awaits, Status
from playbooks.entrypoints import examples
from playbooks.entrypoints.lists import Cursor, Instant, Limit, RowId, Wanted, after, example, next_cursor


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first; pass `next_cursor` on for the next page, None at the end."""

    runs: list[RunView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries, newest first."""

    entries: list[Entry]
    next_cursor: str | None


def _run_filter(
    account: Wanted = None,
    playbook: Wanted = None,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    status: Annotated[Status | None, Query()] = None,
    purpose: Wanted = None,
    step: Annotated[
        str | None, Query(description="The step at hand.", max_length=500, pattern=r"^[^\x00]*$")
    ] = None,
    awaits: Annotated[Awaits | None, Query(description="What the step at hand waits for.")] = None,
    held: Annotated[bool | None, Query(description="Whether the step at hand is held back.")] = None,
    failed: Annotated[
        bool | None,
        Query(description="Whether the step at hand has failed, and is tried again or ended the run."),
    ] = None,
    started_from: Instant = None,
    started_to: Instant = None,
    crossing: Annotated[
        str | None, Query(description="The crossing that started it.", max_length=500, pattern=r"^[^\x00]*$")
    ] = None,
) -> RunFilter:
    return RunFilter(
        account_id=account,
        playbook=playbook,
        version=version,
        status=status,
        purpose=purpose,
        step=step,
        awaits=awaits,
        held=held,
        failed=failed,
        started_from=started_from,
        started_to=started_to,
        crossing_id=crossing,
    )


def _entry_filter(
    account: Wanted = None,
    playbook: Wanted = None,
    outcome: Annotated[EntryOutcome | None, Query()] = None,
    code: Annotated[RefusalCode | None, Query(description="Why there is no run.")] = None,
    since: Instant = None,
) -> EntryFilter:
    return EntryFilter(account_id=account, playbook=playbook, outcome=outcome, code=code, since=since)


def create_runs_router(reads: Reads) -> APIRouter:
    """The routes under /v1 that change nothing."""
    router = APIRouter(prefix="/v1", tags=["runs"], dependencies=[Depends(require("playbooks:read"))])

    @router.get("/runs", summary="Runs, newest first", responses=example(examples.RUN_PAGE))
    async def list_runs(
        wanted: Annotated[RunFilter, Depends(_run_filter)], limit: Limit = 100, cursor: Cursor = None
    ) -> RunPage:
        found = await reads.runs(wanted, limit, after(cursor))
        views = [run_view(run) for run in found]
        return RunPage(views, next_cursor(views, limit, lambda run: (run.started_at, run.id)))

    @router.get(
        "/runs/{run_id}",
        summary="A run moment by moment: why it began, each step and why, what it waits for, why it ended",
        responses=example(examples.RUN_DETAIL),
    )
    async def get_run(run_id: RowId) -> RunDetail:
        story = await reads.run(run_id)
        if story is None:
            raise NotFoundError(f"There is no run {run_id!r}; GET /v1/runs lists them.")
        return run_detail(story)

    @router.get(
        "/entries",
        summary="What crossings meant for playbooks: the run, or why there is none",
        responses=example(examples.ENTRY_PAGE),
    )
    async def list_entries(
        wanted: Annotated[EntryFilter, Depends(_entry_filter)], limit: Limit = 100, cursor: Cursor = None
    ) -> EntryPage:
        found = await reads.entries(wanted, limit, after(cursor))
        return EntryPage(found, next_cursor(found, limit, lambda each: (each.decided_at, entry_key(each))))

    return router
