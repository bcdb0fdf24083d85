"""The HTTP door to the audit: who did what to what."""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query
from msgspec import Meta

from csm_common.web.auth import require
from csm_common.web.pages import decode_cursor, encode_cursor
from playbooks.application.task_reads import AuditFilter, AuditLine, DeskReads
from playbooks.entrypoints import desk_examples as examples
from playbooks.entrypoints.lists import Cursor, Instant, Limit, Wanted, example


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Lines, newest first."""

    audit: list[AuditLine]
    next_cursor: str | None


class _CursorKey(NamedTuple):
    id: Annotated[int, Meta(ge=0, le=2**63 - 1)]


def create_audit_router(reads: DeskReads) -> APIRouter:
    """The route /v1/audit."""
    router = APIRouter(prefix="/v1", tags=["audit"], dependencies=[Depends(require("playbooks:read"))])

    @router.get(
        "/audit",
        summary="Every change and action with its actor, newest first",
        responses=example(examples.AUDIT_PAGE),
    )
    async def list_audit(
        subject: Annotated[
            str | None,
            Query(
                description="`task:ID`, `approval:ID`, `run:ID`, `playbook:NAME`, `engine`.",
                max_length=500,
                pattern=r"^[^\x00]*$",
            ),
        ] = None,
        actor: Annotated[
            str | None,
            Query(
                description="`person:ID` or `key:SOURCE`, whichever way they act, `playbook:NAME/VERSION`, `system`.",
                max_length=500,
                pattern=r"^[^\x00]*$",
            ),
        ] = None,
        account: Wanted = None,
        action: Wanted = None,
        since: Instant = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> AuditPage:
        wanted = AuditFilter(subject=subject, actor=actor, account_id=account, action=action, since=since)
        before = decode_cursor(cursor, _CursorKey).id if cursor else None
        found = await reads.audit(wanted, limit, before)
        return AuditPage(found, encode_cursor(found[-1].id) if len(found) == limit else None)

    return router
