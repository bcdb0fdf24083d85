"""The HTTP door of the sinks: mails to read, webhooks to receive and to read."""

from collections import deque
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from csm_cli.sinks.mailbox import KEPT, Mailbox


def create_app(mailbox: Mailbox, kept: int = KEPT) -> Starlette:
    """GET and DELETE /mails and /webhooks, POST /webhooks[/anything], GET /livez. The newest `kept` webhooks are kept."""
    webhooks: deque[dict[str, Any]] = deque(maxlen=kept)

    async def list_mails(request: Request) -> Response:
        return JSONResponse([mail.as_json() for mail in mailbox.mails(request.query_params.get("to"))])

    async def empty_mails(_: Request) -> Response:
        mailbox.empty()
        return Response(status_code=204)

    async def receive_webhook(request: Request) -> Response:
        body = await request.body()
        webhooks.append(
            {
                "path": request.url.path,
                "headers": dict(request.headers),
                "body": body.decode("utf-8", errors="replace"),  # as sent: a signature covers every byte
                "received_at": datetime.now(UTC).isoformat(),
            }
        )
        return JSONResponse({"status": "kept"})

    async def list_webhooks(_: Request) -> Response:
        return JSONResponse(list(webhooks))

    async def empty_webhooks(_: Request) -> Response:
        webhooks.clear()
        return Response(status_code=204)

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/mails", list_mails, methods=["GET"]),
            Route("/mails", empty_mails, methods=["DELETE"]),
            Route("/webhooks", receive_webhook, methods=["POST"]),
            Route("/webhooks/{rest:path}", receive_webhook, methods=["POST"]),
            Route("/webhooks", list_webhooks, methods=["GET"]),
            Route("/webhooks", empty_webhooks, methods=["DELETE"]),
            Route("/livez", alive, methods=["GET"]),
        ]
    )
