"""`POST /v1/events`: CloudEvents, one or many. Plain Starlette, since a FastAPI body model would cost three times as much."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from csm_common.web.auth import Authenticator
from ingest.application.accept_events import AcceptEvents, BatchReceipt, Receipt
from ingest.application.reading import is_batch, split_batch
from ingest.entrypoints.bodies import Bodies

PATH = "/v1/events"
SCOPE = "events:write"

_encode = msgspec.json.Encoder().encode


def events_route(accept: AcceptEvents, bodies: Bodies, authenticator: Authenticator) -> Route:
    """The route; what it raises becomes a problem document in the app around it."""
    return Route(PATH, EventsEndpoint(accept, bodies, authenticator), methods=["POST"])


class EventsEndpoint:
    """The door as an ASGI program: Starlette wraps a function in one more layer per request than this."""

    def __init__(self, accept: AcceptEvents, bodies: Bodies, authenticator: Authenticator) -> None:
        self._accept = accept
        self._bodies = bodies
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive)
        await self._authenticator.authenticate(request, SCOPE)
        with self._bodies.hold(request) as hold:
            receipt = await self._take(await self._bodies.read(request, hold))
        response = Response(_encode(receipt), status_code=202, media_type="application/json")
        await response(scope, receive, send)

    async def _take(self, body: bytes) -> Receipt | BatchReceipt:
        if is_batch(body):
            return await self._accept.batch(split_batch(body))
        return await self._accept.one(body)
