"""The routes of analytics SDKs, as plain ASGI: `POST /v1/batch`, `/v1/track` …, and PostHog's `/batch/`, `/capture/` …

They answer exactly 200 where anything could be read: some SDKs send a 202 again, and all drop a batch that is answered 400.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from csm_common.clock import Clock
from csm_common.web.auth import Authenticator, Principal, token_of
from csm_common.web.problems import problem_of
from ingest.application.budget import Budget
from ingest.application.incoming import Received
from ingest.application.limiter import Limiter
from ingest.application.outcome import Outcome
from ingest.application.sdk import posthog, segment
from ingest.application.sdk.envelope import Envelope, open_batch, open_call, open_posthog
from ingest.entrypoints.bodies import Bodies

SCOPE = "track:write"

BATCHES = ("/v1/batch", "/v1/import", "/v1/b")
CALLS: Mapping[str, str] = {
    "/v1/track": "track",
    "/v1/identify": "identify",
    "/v1/group": "group",
    "/v1/page": "page",
    "/v1/screen": "screen",
    "/v1/alias": "alias",
    "/v1/t": "track",
    "/v1/i": "identify",
    "/v1/g": "group",
    "/v1/p": "page",
    "/v1/s": "screen",
    "/v1/a": "alias",
}
POSTHOG = ("/batch", "/capture", "/e", "/i/v0/e")

_ANYWHERE = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = _ANYWHERE | {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "authorization, content-type, *",
    "Access-Control-Max-Age": "86400",
}
_encode = msgspec.json.Encoder().encode


class Takes(Protocol):
    """Where messages go: the intake."""

    async def take(self, received: Sequence[Received]) -> list[Outcome]:
        """What became of each message. TransientError when nothing is promised of any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkAnswer:
    """What became of the messages: `held` ones wait for their account, `rejected` ones are kept with the reason."""

    success: bool = True
    status: int = 1
    accepted: int
    duplicates: int
    held: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkDoor:
    """What all routes lean on."""

    intake: Takes
    bodies: Bodies
    budget: Budget
    authenticator: Authenticator
    limiter: Limiter
    clock: Clock


class SdkEndpoint:
    """One route. It answers errors itself, so it needs nothing around it."""

    def __init__(self, door: SdkDoor, format: str, open_body: Callable[[bytes], Envelope]) -> None:
        self._door = door
        self._format = format
        self._open = open_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive)
        if request.method == "OPTIONS":
            response = Response(status_code=204, headers=_PREFLIGHT)
        else:
            response = await self._answer(request)
            response.headers.update(_ANYWHERE)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            answer = await self._take(request)
        except Exception as error:
            return problem_of(error)
        return Response(_encode(answer), media_type="application/json")

    async def _take(self, request: Request) -> SdkAnswer:
        door = self._door
        token = token_of(request.headers.get("authorization"))
        principal = await door.authenticator.check(token, SCOPE) if token else None
        with door.budget.hold() as hold:
            envelope = self._open(await door.bodies.read(request, hold))
            principal = principal or await door.authenticator.check(envelope.token, SCOPE)
            door.limiter.take(principal, len(envelope.messages))
            return _told(await door.intake.take(self._received(envelope, principal)))

    def _received(self, envelope: Envelope, principal: Principal) -> list[Received]:
        at, source = self._door.clock.now(), f"sdk/{principal.source}"
        return [
            Received(format=self._format, source=source, body=each, at=at, context=envelope.context)
            for each in envelope.messages
        ]


def sdk_routes(door: SdkDoor) -> list[Route]:
    """All routes, each with and without a slash at its end: a redirect would be taken for success by some SDKs."""
    endpoints = {path: SdkEndpoint(door, segment.FORMAT, open_batch) for path in BATCHES}
    endpoints |= {
        path: SdkEndpoint(door, segment.FORMAT, partial(open_call, kind=kind)) for path, kind in CALLS.items()
    }
    endpoints |= {path: SdkEndpoint(door, posthog.FORMAT, open_posthog) for path in POSTHOG}
    return [
        Route(f"{path}{slash}", endpoint, methods=["POST", "OPTIONS"])
        for path, endpoint in endpoints.items()
        for slash in ("", "/")
    ]


def _told(outcomes: Sequence[Outcome]) -> SdkAnswer:
    counts = Counter(each.status for each in outcomes)
    return SdkAnswer(
        accepted=counts["accepted"],
        duplicates=counts["duplicate"],
        held=counts["held"],
        rejected=counts["rejected"],
    )
