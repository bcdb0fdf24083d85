"""What CS tooling and operators can ask: which messages went out, which did not, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from msgspec import Meta

from csm_common.errors import NotFoundError
from csm_common.web.auth import require
from csm_common.web.pages import decode_cursor, encode_cursor
from notifier.application.ports import OpenWork
from notifier.application.views import NotificationDetail, NotificationFilter, NotificationSummary
from notifier.domain.notification import Status

# PostgreSQL has no NUL in a text, so nothing that holds one can be found.
_NO_NUL = r"^[^\x00]*$"
Wanted = Annotated[str | None, Query(pattern=_NO_NUL)]
NotificationId = Annotated[str, Path(pattern=_NO_NUL)]
_Time = Annotated[datetime, Meta(tz=True)]
_Id = Annotated[str, Meta(pattern=_NO_NUL)]


@dataclass(frozen=True, slots=True)
class NotificationPage:
    """Some notifications, newest first; `next_cursor` leads to older ones and is None at the end."""

    notifications: Sequence[NotificationSummary]
    next_cursor: str | None


def notification_routes(open_work: OpenWork) -> APIRouter:
    """GET /v1/notifications and GET /v1/notifications/{id}."""
    router = APIRouter(
        prefix="/v1/notifications",
        tags=["notifications"],
        dependencies=[Depends(require("notifications:read"))],
    )

    @router.get("")
    async def notifications(
        account: Wanted = None,
        status: Status | None = None,
        channel: Wanted = None,
        playbook: Wanted = None,
        run: Wanted = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: str | None = None,
    ) -> NotificationPage:
        """Notifications, newest first; each condition that is given narrows them."""
        wanted = NotificationFilter(
            account_id=account, status=status, channel=channel, playbook=playbook, run_id=run
        )
        before = decode_cursor(cursor, tuple[_Time, _Id]) if cursor else None
        async with open_work() as work:
            found = await work.notifications.page(wanted, before, limit + 1)
        items = found[:limit]
        more = len(found) > limit
        return NotificationPage(items, encode_cursor(items[-1].requested_at, items[-1].id) if more else None)

    @router.get("/{notification_id}")
    async def notification(notification_id: NotificationId) -> NotificationDetail:
        """One notification: whom it went to and why, what the contact policy said, every attempt, and its reasons."""
        async with open_work() as work:
            found = await work.notifications.detail(notification_id)
        if found is None:
            raise NotFoundError(f"There is no notification {notification_id!r}.")
        return found

    return router
