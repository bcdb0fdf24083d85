"""The HTTP door for mails that come back: a mail server pipes them here as they are."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from csm_common.clock import Clock
from csm_common.errors import PermanentError
from csm_common.web.auth import require
from csm_common.web.body import read_body
from notifier.application.handlers.inbound import MailTaken, take_in
from notifier.application.handlers.suppressing import obeyed
from notifier.application.ports import OpenWork
from notifier.application.responses import MailReader
from notifier.entrypoints import outcome_examples as examples
from notifier.entrypoints.outcome_examples import example

LARGEST_MAIL = 1024 * 1024
_PATIENCE = timedelta(seconds=5)
_MEDIA_TYPES = ("message/rfc822", "message/global")
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The mail as it came over the wire.",
        "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class UnsupportedMediaTypeError(PermanentError):
    """The body is something else than this route takes."""

    code = "unsupported_media_type"
    status = 415


def mail_routes(
    open_work: OpenWork, reader: MailReader, clock: Clock, told: Callable[[], None] = lambda: None
) -> APIRouter:
    """POST /v1/mails; `told` is called after each commit."""
    router = APIRouter(prefix="/v1", tags=["mails"], dependencies=[Depends(require("notifications:write"))])

    @router.post(
        "/mails",
        summary="Take in a mail that came back",
        responses=example(examples.MAIL_TAKEN),
        openapi_extra=_BODY,
    )
    async def take(
        request: Request,
        recipient: Annotated[
            str | None,
            Query(max_length=500, description="The envelope's recipient, where the server tells it."),
        ] = None,
    ) -> MailTaken:
        """A bounce, a spam report, an answer, or a wish to hear no more. Nothing of its text is kept. Any mail is answered with
        200, whatever it looks like, so that the mail server keeps none; the same mail again changes nothing."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _MEDIA_TYPES:
            raise UnsupportedMediaTypeError(
                "Send the mail itself as `Content-Type: message/rfc822`, such as `curl --data-binary @-` does."
            )
        raw = await read_body(request, LARGEST_MAIL)
        mail = await asyncio.to_thread(reader.read, raw, recipient)
        async with open_work() as work:
            taken, refusing = await take_in(work, mail, reader.signs, clock.now())
        told()
        if refusing is not None:
            await obeyed(open_work, refusing, clock, _PATIENCE)
        return taken

    return router
