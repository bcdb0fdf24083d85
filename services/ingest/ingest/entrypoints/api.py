"""`/v1/events`: CloudEvents, one or many, as plain ASGI."""

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from csm_common.web.auth import Authenticator, token_of
from csm_common.web.problems import problem_of
from csm_common.web.telemetry import TelemetryMiddleware, header
from ingest.application.accept_events import AcceptEvents, BatchReceipt, ParkedReceipt, Receipt
from ingest.application.budget import Budget
from ingest.application.limiter import Limiter
from ingest.application.reading import is_batch, split_batch
from ingest.entrypoints.bodies import Bodies
from ingest.entrypoints.cloudevents import Handshake, query_token, structured

PATH = "/v1/events"
SCOPE = "events:write"

_encode = msgspec.json.Encoder().encode


class EventsEndpoint:
    """The door. It answers errors itself, so it needs nothing around it."""

    def __init__(
        self,
        accept: AcceptEvents,
        bodies: Bodies,
        budget: Budget,
        authenticator: Authenticator,
        limiter: Limiter,
        handshake: Handshake,
    ) -> None:
        self._accept = accept
        self._limiter = limiter
        self._handshake = handshake
        self._bodies = bodies
        self._budget = budget
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive)
        asked = scope["method"] == "OPTIONS"
        response = await (self._handshake(request) if asked else self._answer(request))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        try:
            receipt = await self._take(request)
        except Exception as error:
            return problem_of(error)
        return _Taken(_encode(receipt))

    async def _take(self, request: Request) -> Receipt | ParkedReceipt | BatchReceipt:
        principal = await self._authenticator.check(_token(request), SCOPE)
        with self._budget.hold() as hold:
            body = await self._bodies.read(request, hold)
            body = structured(request.scope["headers"], body) or body
            if not is_batch(body):
                self._limiter.take(principal, 1)
                return await self._accept.one(body)
            events = split_batch(body)
            self._limiter.take(principal, len(events))
            return await self._accept.batch(events)


class _Taken:
    """The answer 202. Starlette's responses, which can do more, cost a tenth of a request."""

    __slots__ = ("_body",)

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self._body))]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


def _token(request: Request) -> str | None:
    """The key; CloudEvents' webhook specification lets a sender put it into the address as well."""
    scope = request.scope
    return token_of(header(scope, b"authorization")) or query_token(scope["query_string"])


class HotRoute:
    """The app with one route that its posts reach directly: the framework's layers would take half of their time.

    The route is in the app as well, which answers other methods, and its OpenAPI tells of it.
    """

    def __init__(self, app: FastAPI, path: str, endpoint: ASGIApp) -> None:
        self._app = app
        self._route = Route(path, endpoint, methods=["POST", "OPTIONS"])
        self._direct = TelemetryMiddleware(endpoint)
        app.router.routes.append(self._route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and scope["path"] == self._route.path and scope["method"] == "POST":
            scope["route"] = self._route
            await self._direct(scope, receive, send)
        else:
            await self._app(scope, receive, send)
