"""The HTTP door for tasks: who has what to do until when, and all that can be done with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from csm_common.clock import Clock
from csm_common.errors import NotFoundError
from csm_common.web.auth import require
from playbooks.application.actor import Actor
from playbooks.application.model import Task, TaskNote, TaskStatus
from playbooks.application.task_desk import TaskDesk
from playbooks.application.task_reads import DeskReads, TaskFilter, TaskStory
from playbooks.entrypoints import desk_examples as examples
from playbooks.entrypoints.actor import require_actor
from playbooks.entrypoints.desk_bodies import Assign, CancelTask, Comment, Complete, OpenTask, Snooze
from playbooks.entrypoints.lists import Cursor, Instant, Limit, RowId, Wanted, after, example, next_cursor

By = Annotated[Actor, Depends(require_actor("tasks:write"))]


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Tasks by due date, the earliest first; pass `next_cursor` on for the next page, None at the end."""

    tasks: list[Task]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """The filters as they are asked for."""

    account: str | None
    owner: str | None
    status: TaskStatus | None
    playbook: str | None
    type: str | None
    due_before: datetime | None
    overdue: bool
    unassigned: bool

    def filter(self, now: datetime) -> TaskFilter:
        """With what is overdue now."""
        return TaskFilter(
            account_id=self.account,
            owner=self.owner,
            unassigned=self.unassigned or None,
            status=self.status,
            playbook=self.playbook,
            type=self.type,
            due_before=self.due_before,
            overdue=now if self.overdue else None,
        )


def _wanted(
    account: Wanted = None,
    owner: Wanted = None,
    status: Annotated[TaskStatus | None, Query()] = None,
    playbook: Wanted = None,
    type: Wanted = None,
    due_before: Instant = None,
    overdue: Annotated[
        bool, Query(description="Only what should have been done by now, and is not.")
    ] = False,
    unassigned: Annotated[bool, Query(description="Only what nobody owns.")] = False,
) -> _Wanted:
    return _Wanted(
        account=account,
        owner=owner,
        status=status,
        playbook=playbook,
        type=type,
        due_before=due_before,
        overdue=overdue,
        unassigned=unassigned,
    )


def create_tasks_router(reads: DeskReads, desk: TaskDesk, clock: Clock) -> APIRouter:
    """The routes under /v1/tasks."""
    router = APIRouter(prefix="/v1", tags=["tasks"])
    _add_reads(router, reads, clock)
    _add_changes(router, desk)
    return router


def _add_reads(router: APIRouter, reads: DeskReads, clock: Clock) -> None:
    may_read = [Depends(require("playbooks:read"))]

    @router.get(
        "/tasks",
        summary="Tasks, the earliest due first",
        dependencies=may_read,
        responses=example(examples.TASK_PAGE),
    )
    async def list_tasks(
        wanted: Annotated[_Wanted, Depends(_wanted)], limit: Limit = 100, cursor: Cursor = None
    ) -> TaskPage:
        found = await reads.tasks(wanted.filter(clock.now()), limit, after(cursor))
        return TaskPage(found, next_cursor(found, limit, lambda task: (task.due_at, task.id)))

    @router.get(
        "/tasks/{task_id}",
        summary="A task with its history and comments",
        dependencies=may_read,
        responses=example(examples.TASK_STORY),
    )
    async def get_task(task_id: RowId) -> TaskStory:
        story = await reads.task(task_id)
        if story is None:
            raise NotFoundError(f"There is no task {task_id!r}; GET /v1/tasks lists them.")
        return story


def _add_changes(router: APIRouter, desk: TaskDesk) -> None:
    shown = example(examples.TASK)

    @router.post(
        "/tasks",
        summary="Open a task by hand; 200 where the account has one of the type and reason to be done",
        status_code=201,
        responses={**example(examples.TASK_BY_HAND, 201), **example(examples.TASK)},
    )
    async def open_task(body: OpenTask, by: By, response: Response) -> Task:
        opened = await desk.open(body.task(), by)
        response.status_code = 201 if opened.created else 200
        return opened.task

    @router.post("/tasks/{task_id}:claim", summary="Take a task on", responses=shown)
    async def claim_task(task_id: RowId, by: By) -> Task:
        return await desk.claim(task_id, by)

    @router.post("/tasks/{task_id}:assign", summary="Give a task to somebody", responses=shown)
    async def assign_task(task_id: RowId, body: Assign, by: By) -> Task:
        return await desk.assign(task_id, body.assignee(), by)

    @router.post("/tasks/{task_id}:snooze", summary="Put a task aside", responses=shown)
    async def snooze_task(task_id: RowId, body: Snooze, by: By) -> Task:
        return await desk.snooze(task_id, body.until, body.score, by)

    @router.post("/tasks/{task_id}:complete", summary="End a task with its outcome", responses=shown)
    async def complete_task(task_id: RowId, body: Complete, by: By) -> Task:
        return await desk.complete(task_id, body.outcome, by, body.comment)

    @router.post("/tasks/{task_id}:cancel", summary="End a task undone", responses=shown)
    async def cancel_task(task_id: RowId, body: CancelTask, by: By) -> Task:
        return await desk.cancel(task_id, body.reason, by)

    @router.post("/tasks/{task_id}:reopen", summary="Take a task up again, or bring it back", responses=shown)
    async def reopen_task(task_id: RowId, by: By) -> Task:
        return await desk.reopen(task_id, by)

    @router.post(
        "/tasks/{task_id}/comments",
        summary="Say something about a task",
        status_code=201,
        responses=example(examples.COMMENT, 201),
    )
    async def comment_task(task_id: RowId, body: Comment, by: By) -> TaskNote:
        return await desk.comment(task_id, body.text, by)
