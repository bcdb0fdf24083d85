"""`POST /v1/webhooks/{name}` over an intake that says what it is told to say."""

import gzip
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import stripe
from fastapi import FastAPI
from pydantic import TypeAdapter
from tests.support.clock import ManualClock
from tests.unit.ingest.webhooks.test_rules import GENERIC
from tests.unit.ingest.webhooks.test_stripe import event, invoice

from csm_common.errors import TransientError
from csm_common.web.problems import install_problem_handlers
from ingest.application.budget import Budget
from ingest.application.incoming import Received
from ingest.application.outcome import Outcome
from ingest.application.webhooks.connections import connect
from ingest.application.webhooks.rules import Webhooks
from ingest.entrypoints.bodies import Bodies
from ingest.entrypoints.webhooks import webhook_routes

SECRET = "whsec_test"
LIMIT = 100_000
HOOKS = TypeAdapter(Webhooks).validate_python(
    {"stripe": {"kind": "stripe", "secret_env": "S"}, "crm": GENERIC | {"each": "events"}}
)


@dataclass
class Intake:
    """Implements the route's port: everything taken is in `taken`, and ends as `outcomes` say."""

    outcomes: list[Outcome] = field(default_factory=list)
    taken: list[Received] = field(default_factory=list)
    down: bool = False

    async def take(self, received: Sequence[Received]) -> list[Outcome]:
        if self.down:
            raise TransientError("The brokers are away.", code="brokers_unavailable", retry_after=2.0)
        self.taken += received
        return self.outcomes or [Outcome(id="e", status="accepted") for _ in received]


class Door:
    """The route, and what to send to it."""

    def __init__(self) -> None:
        self.intake = Intake()
        self.clock = ManualClock()
        self.budget = Budget(10 * LIMIT)
        self.app = FastAPI(redirect_slashes=False)
        install_problem_handlers(self.app)
        bodies = Bodies(limit=LIMIT, deadline_s=1.0)
        connections = connect(HOOKS, {"S": SECRET})
        self.app.include_router(webhook_routes(connections, self.intake, bodies, self.budget, self.clock))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://ingest")

    async def deliver(self, payload: Any, **headers: str) -> httpx.Response:
        """A delivery that Stripe's own library has signed, unless `headers` say otherwise."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        now = int(self.clock.now().timestamp())
        signed = stripe.WebhookSignature.generate_signature_header(body.decode(), SECRET, now)
        return await self.client.post(
            "/v1/webhooks/stripe", content=body, headers={"stripe-signature": signed} | headers
        )

    async def deliver_own(self, body: bytes, sent: bytes | None = None) -> httpx.Response:
        """A delivery to the generic webhook; `sent` are the bytes on the wire."""
        headers = {"x-signature": hmac.digest(SECRET.encode(), body, "sha256").hex()}
        return await self.client.post("/v1/webhooks/crm", content=sent or body, headers=headers)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    async with door.client:
        yield door
    assert door.budget.held == 0


PAID = event("invoice.paid", invoice())


async def test_a_genuine_delivery_is_taken_as_it_came(door: Door) -> None:
    answer = await door.deliver(PAID)
    assert (answer.status_code, answer.json()) == (
        200,
        {"received": True, "status": "accepted", "messages": 1, "rejected": []},
    )
    (taken,) = door.intake.taken
    assert (taken.format, taken.source, taken.at) == ("webhook/stripe", "webhook/stripe", door.clock.now())
    assert json.loads(taken.body) == PAID


@pytest.mark.parametrize("status", ["accepted", "duplicate", "held"])
async def test_what_became_of_it(door: Door, status: Any) -> None:
    door.intake.outcomes = [Outcome(id="e", status=status)]
    assert (await door.deliver(PAID)).json()["status"] == status


async def test_what_cannot_be_read_is_answered_200_all_the_same(door: Door) -> None:
    door.intake.outcomes = [Outcome(id=None, status="rejected", code="invalid_payload", message="Odd.")]
    answer = await door.deliver(b"not even JSON")
    assert answer.status_code == 200
    assert answer.json() == {
        "received": True,
        "status": "rejected",
        "messages": 1,
        "rejected": [{"index": 0, "id": None, "code": "invalid_payload", "message": "Odd."}],
    }
    assert door.intake.taken[0].body == b"not even JSON"


async def test_the_gravest_of_several(door: Door) -> None:
    door.intake.outcomes = [
        Outcome(id="a", status="accepted"),
        Outcome(id="b", status="rejected", code="odd", message="Odd."),
        Outcome(id="c", status="held"),
    ]
    told = (await door.deliver_own(b'{"events": [1, 2, 3]}')).json()
    assert (told["status"], told["messages"], [each["index"] for each in told["rejected"]]) == (
        "rejected",
        3,
        [1],
    )


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"stripe-signature": "t=1,v1=odd"}, "invalid_signature"),
        ({"stripe-signature": ""}, "invalid_signature"),
    ],
)
async def test_a_stranger(door: Door, headers: dict[str, str], code: str) -> None:
    refused = await door.deliver(PAID, **headers)
    assert (refused.status_code, refused.json()["code"]) == (401, code)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["message"]
    assert not door.intake.taken


async def test_without_any_signature(door: Door) -> None:
    refused = await door.client.post("/v1/webhooks/stripe", content=b"{}")
    assert (refused.status_code, refused.json()["code"]) == (401, "missing_signature")


async def test_an_unknown_name(door: Door) -> None:
    for method in ("POST", "HEAD"):
        refused = await door.client.request(method, "/v1/webhooks/nobody", content=b"{}")
        assert refused.status_code == 404
    assert (await door.client.head("/v1/webhooks/stripe")).status_code == 200
    assert (await door.client.get("/v1/webhooks/stripe")).status_code == 405


async def test_a_vendor_repeats_what_could_not_be_promised(door: Door) -> None:
    door.intake.down = True
    refused = await door.deliver(PAID)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")


async def test_a_body_that_is_too_large(door: Door) -> None:
    assert (await door.deliver(b" " * (LIMIT + 1))).status_code == 413


async def test_a_compressed_body_is_signed_as_what_it_holds(door: Door) -> None:
    body = b'{"events": [{"account": "acme"}]}'
    assert (await door.deliver_own(body, sent=gzip.compress(body))).status_code == 200
    assert (await door.deliver_own(body, sent=gzip.compress(body + b" "))).status_code == 401
    assert (await door.deliver_own(body, sent=b"\x1f\x8b odd")).status_code == 400


async def test_no_message_is_no_mistake(door: Door) -> None:
    told = (await door.deliver_own(b'{"events": []}')).json()
    assert (told["status"], told["messages"]) == ("accepted", 0)


def test_the_document_tells_of_every_answer(door: Door) -> None:
    operation = door.app.openapi()["paths"]["/v1/webhooks/{name}"]["post"]
    assert set(operation["responses"]) == {"200", "400", "401", "404", "408", "413", "503"}
    refusals = {status: told for status, told in operation["responses"].items() if status != "200"}
    assert all(list(told["content"]) == ["application/problem+json"] for told in refusals.values())
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {"type": ["object", "array"]}
    assert operation["parameters"][0]["name"] == "name"
