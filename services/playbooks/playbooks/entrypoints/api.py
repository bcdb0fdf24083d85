"""The HTTP door: runs with their story, tasks, playbooks, and why a run was not started."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import APIRouter, Depends, Path, Query
from msgspec import Meta

from csm_common.errors import NotFoundError
from csm_common.web.auth import require
from csm_common.web.pages import decode_cursor, encode_cursor
from playbooks.application.model import Entry, Task
from playbooks.application.reads import After, PlaybookVersion, Reads, RunFilter, TaskFilter, entry_key
from playbooks.application.timeline import RunDetail, RunView, run_detail, run_view
from playbooks.domain.run import Status
from playbooks.entrypoints import examples


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first; pass `next_cursor` on for the next page, None at the end."""

    runs: list[RunView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Tasks, newest first."""

    tasks: list[Task]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries, newest first."""

    entries: list[Entry]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PlaybookList:
    """Every version of every playbook, the newest version of each first."""

    playbooks: list[PlaybookVersion]


# PostgreSQL has no NUL in a text, so nothing that holds one can be found.
Wanted = Annotated[str | None, Query(max_length=500, pattern=r"^[^\x00]*$")]
RowId = Annotated[str, Path(max_length=500, pattern=r"^[^\x00]*$")]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]


class _CursorKey(NamedTuple):
    at: Annotated[datetime, Meta(tz=True)]
    id: Annotated[str, Meta(pattern=r"^[^\x00]*$")]


RowT = TypeVar("RowT")


def _after(cursor: str | None) -> After:
    return decode_cursor(cursor, _CursorKey) if cursor else None


def _next_cursor(rows: Sequence[RowT], limit: int, key: Callable[[RowT], tuple[datetime, str]]) -> str | None:
    return encode_cursor(*key(rows[-1])) if len(rows) == limit else None


def _example(body: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": body}}}}


def create_router(reads: Reads) -> APIRouter:
    """The routes under /v1."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(require("playbooks:read"))])

    @router.get("/runs", summary="Runs, newest first", responses=_example(examples.RUN_PAGE))
    async def list_runs(
        account: Wanted = None,
        playbook: Wanted = None,
        status: Annotated[Status | None, Query()] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> RunPage:
        wanted = RunFilter(account_id=account, playbook=playbook, status=status)
        found = await reads.runs(wanted, limit, _after(cursor))
        views = [run_view(run, definition) for run, definition in found]
        return RunPage(views, _next_cursor(views, limit, lambda run: (run.started_at, run.id)))

    @router.get(
        "/runs/{run_id}",
        summary="A run: why it began, each step, what it waits for, why it ended",
        responses=_example(examples.RUN_DETAIL),
    )
    async def get_run(run_id: RowId) -> RunDetail:
        story = await reads.run(run_id)
        if story is None:
            raise NotFoundError(f"There is no run {run_id!r}; GET /v1/runs lists them.")
        return run_detail(story)

    @router.get("/tasks", summary="Tasks of people, newest first", responses=_example(examples.TASK_PAGE))
    async def list_tasks(
        account: Wanted = None,
        owner: Wanted = None,
        status: Wanted = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> TaskPage:
        wanted = TaskFilter(account_id=account, owner=owner, status=status)
        found = await reads.tasks(wanted, limit, _after(cursor))
        return TaskPage(found, _next_cursor(found, limit, lambda task: (task.created_at, task.id)))

    @router.get("/tasks/{task_id}", summary="One task", responses=_example(examples.TASK))
    async def get_task(task_id: RowId) -> Task:
        task = await reads.task(task_id)
        if task is None:
            raise NotFoundError(f"There is no task {task_id!r}; GET /v1/tasks lists them.")
        return task

    @router.get(
        "/playbooks",
        summary="Playbooks with all their versions",
        response_model_exclude_none=True,
        responses=_example(examples.PLAYBOOK_LIST),
    )
    async def list_playbooks() -> PlaybookList:
        return PlaybookList(await reads.playbooks())

    @router.get(
        "/entries",
        summary="What crossings meant for playbooks: the run, or why there is none",
        responses=_example(examples.ENTRY_PAGE),
    )
    async def list_entries(account: Wanted = None, limit: Limit = 100, cursor: Cursor = None) -> EntryPage:
        found = await reads.entries(account, limit, _after(cursor))
        return EntryPage(found, _next_cursor(found, limit, lambda each: (each.decided_at, entry_key(each))))

    return router
