"""`POST /v1/webhooks/{name}`: deliveries of other systems, which sign them; there is no key of ours.

The signature is that of the body's bytes, after a gzip around them is taken off. A genuine delivery is answered 200 whatever
its messages tell: what cannot be read is kept and listed, since a vendor that sees refusals stops sending. A vendor repeats
what it is answered 503, and ids make that harmless.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from csm_common.clock import Clock
from csm_common.errors import NotFoundError, UnauthenticatedError
from ingest.application.budget import Budget
from ingest.application.incoming import Received
from ingest.application.outcome import Outcome
from ingest.application.webhooks.connections import Connection
from ingest.entrypoints.bodies import Bodies
from ingest.entrypoints.schemas import ref

PATH = "/v1/webhooks/{name}"

Status = Literal["rejected", "held", "accepted", "duplicate"]
_WORST_FIRST: tuple[Status, ...] = ("rejected", "held", "accepted", "duplicate")


class Takes(Protocol):
    """The intake."""

    async def take(self, received: Sequence[Received]) -> list[Outcome]:
        """What became of each message, in their order; TransientError when nothing is promised of any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedMessage:
    """A message that was kept aside: its place in the delivery, its id if it has one, and why."""

    index: int
    id: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceipt:
    """The delivery is here. `status` is the gravest of what became of its messages; `rejected` lists those kept aside."""

    received: Literal[True] = True
    status: Status
    messages: int
    rejected: list[RejectedMessage] = field(default_factory=list)


def webhook_routes(
    connections: Mapping[str, Connection], intake: Takes, bodies: Bodies, budget: Budget, clock: Clock
) -> APIRouter:
    """The routes over these connections."""
    router = APIRouter()

    def connection_of(request: Request) -> Connection:
        name = request.path_params["name"]
        if name not in connections:
            raise NotFoundError(f"There is no webhook {name!r} in the configuration.", code="unknown_webhook")
        return connections[name]

    @router.post(PATH, operation_id="post_webhook", responses=_REFUSALS, openapi_extra=_REQUEST)
    async def post_webhook(request: Request) -> WebhookReceipt:
        """Take a delivery. Answers once its messages are durable."""
        connection = connection_of(request)
        with budget.hold() as hold:
            body = await bodies.read(request, hold)
            now = clock.now()
            problem = connection.problem(request.headers, body, now)
            if problem is not None:
                raise UnauthenticatedError(problem.message, code=problem.code)
            return _receipt(await intake.take(connection.messages(body, now)))

    @router.head(
        PATH, operation_id="head_webhook", responses=_UNKNOWN, openapi_extra=_NAMED, response_model=None
    )
    async def head_webhook(request: Request) -> Response:
        """Whether there is such a webhook, as Intercom asks before it takes an address."""
        connection_of(request)
        return Response()

    return router


def _receipt(outcomes: Sequence[Outcome]) -> WebhookReceipt:
    counts = Counter(each.status for each in outcomes)
    status: Status = next((each for each in _WORST_FIRST if counts[each]), "accepted")
    rejected = [
        RejectedMessage(index=index, id=each.id, code=each.code or "rejected", message=each.message or "")
        for index, each in enumerate(outcomes)
        if each.status == "rejected"
    ]
    return WebhookReceipt(status=status, messages=len(outcomes), rejected=rejected)


def _problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }


_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "There is no webhook of that name."}}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: _problem("The body did not arrive whole, or begins like gzip and cannot be inflated."),
    401: _problem("The signature is missing, wrong, or too old."),
    404: _problem("There is no webhook of that name."),
    408: _problem("The body did not arrive in time."),
    413: _problem("The body is too large."),
    503: _problem("Nothing is promised: deliver the same again after Retry-After seconds."),
}
_NAMED: dict[str, Any] = {
    "parameters": [
        {
            "name": "name",
            "in": "path",
            "required": True,
            "description": "The webhook's name in the configuration.",
            "schema": {"type": "string"},
        }
    ]
}
_REQUEST: dict[str, Any] = _NAMED | {
    "requestBody": {
        "required": True,
        "description": "What the vendor sends, signed as the vendor does.",
        "content": {"application/json": {"schema": {"type": ["object", "array"]}}},
    }
}
