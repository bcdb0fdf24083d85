"""The door for the question why: the chain behind one message, back to the events, as JSON or as text."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header
from starlette.responses import PlainTextResponse, Response

from csm_common.errors import NotFoundError
from csm_common.web.auth import require
from notifier.application.ports import OpenWork
from notifier.application.why import why
from notifier.domain.why import Why
from notifier.entrypoints.api import NotificationId
from notifier.entrypoints.why_example import EXAMPLE, EXAMPLE_TEXT

_DESCRIPTION = """
Who got it and why, what the contact policy said, which step of which run asked for it after which steps, why that run began, what
was crossed, which measures moved by how many points of the score, and the events behind it. `words` are the same as sentences;
so is the whole answer where `Accept` is `text/plain`. A digest explains each of its messages in `items`.

No other service is asked: what was told with the request is told again. Of messages that are older than that, and of erased ones,
the ids are known.
"""


def why_routes(open_work: OpenWork) -> APIRouter:
    """GET /v1/notifications/{id}/why."""
    router = APIRouter(
        prefix="/v1/notifications",
        tags=["notifications"],
        dependencies=[Depends(require("notifications:read"))],
    )

    @router.get(
        "/{notification_id}/why",
        response_model=Why,
        summary="Why there is this message",
        description=_DESCRIPTION,
        responses={
            200: {
                "content": {
                    "application/json": {"example": EXAMPLE},
                    "text/plain": {"example": EXAMPLE_TEXT},
                }
            }
        },
    )
    async def why_there_is_this(
        notification_id: NotificationId, accept: Annotated[str, Header(include_in_schema=False)] = ""
    ) -> Why | Response:
        async with open_work() as work:
            found = await why(work, notification_id)
        if found is None:
            raise NotFoundError(f"There is no notification {notification_id!r}.")
        return PlainTextResponse("\n".join(found.words) + "\n") if _as_text(accept) else found

    return router


def _as_text(accept: str) -> bool:
    """Where both or anything will do, it is JSON."""
    return "text/plain" in accept and "application/json" not in accept
