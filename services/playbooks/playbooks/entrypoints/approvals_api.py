"""The HTTP door for the questions of runs: which are open, and the answers."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from csm_common.errors import NotFoundError
from csm_common.web.auth import require
from playbooks.application.actor import Actor
from playbooks.application.approval_desk import ApprovalDesk
from playbooks.application.model import Approval, ApprovalStatus
from playbooks.application.task_reads import ApprovalFilter, DeskReads
from playbooks.entrypoints import desk_examples as examples
from playbooks.entrypoints.actor import require_actor
from playbooks.entrypoints.desk_bodies import Said
from playbooks.entrypoints.lists import Cursor, Limit, RowId, Wanted, after, example, next_cursor

By = Annotated[Actor, Depends(require_actor("tasks:write"))]


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """Questions, newest first."""

    approvals: list[Approval]
    next_cursor: str | None


def create_approvals_router(reads: DeskReads, desk: ApprovalDesk) -> APIRouter:
    """The routes under /v1/approvals."""
    router = APIRouter(prefix="/v1", tags=["approvals"])
    may_read = [Depends(require("playbooks:read"))]

    @router.get(
        "/approvals",
        summary="What people are asked, newest first",
        dependencies=may_read,
        responses=example(examples.APPROVAL_PAGE),
    )
    async def list_approvals(
        account: Wanted = None,
        playbook: Wanted = None,
        run: Wanted = None,
        status: Annotated[ApprovalStatus | None, Query()] = None,
        by: Annotated[
            str | None,
            Query(
                description="Who may answer: a contact id, or owner.",
                max_length=500,
                pattern=r"^[^\x00]*$",
            ),
        ] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> ApprovalPage:
        wanted = ApprovalFilter(account_id=account, playbook=playbook, run_id=run, status=status, by=by)
        found = await reads.approvals(wanted, limit, after(cursor))
        return ApprovalPage(found, next_cursor(found, limit, lambda each: (each.asked_at, each.id)))

    @router.get(
        "/approvals/{approval_id}",
        summary="One question, and what was said",
        dependencies=may_read,
        responses=example(examples.APPROVAL),
    )
    async def get_approval(approval_id: RowId) -> Approval:
        approval = await reads.approval(approval_id)
        if approval is None:
            raise NotFoundError(f"There is no approval {approval_id!r}; GET /v1/approvals lists them.")
        return approval

    @router.post(
        "/approvals/{approval_id}:approve",
        summary="Say yes: the run goes on",
        responses=example(examples.APPROVAL),
    )
    async def approve(approval_id: RowId, by: By, body: Said | None = None) -> Approval:
        return await desk.answer(approval_id, "approved", by, body.comment if body else None)

    @router.post(
        "/approvals/{approval_id}:reject",
        summary="Say no: the run takes its way for that, and ends",
        responses=example(examples.APPROVAL),
    )
    async def reject(approval_id: RowId, by: By, body: Said | None = None) -> Approval:
        return await desk.answer(approval_id, "rejected", by, body.comment if body else None)

    return router
