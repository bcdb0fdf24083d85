"""Webhooks through the whole door: repeated and in any order they leave an account in the same state."""

import base64
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random
from typing import Any

import httpx
import msgspec
import pytest
import stripe
from tests.support.clock import START
from tests.unit.ingest.door import Door, open_door
from tests.unit.ingest.webhooks.test_intercom import USER, companies, conversation, notification
from tests.unit.ingest.webhooks.test_stripe import event as stripe_event
from tests.unit.ingest.webhooks.test_stripe import invoice, subscription
from tests.unit.ingest.webhooks.test_zendesk import event as zendesk_event
from tests.unit.ingest.webhooks.test_zendesk import ticket

from csm_common.contracts.envelope import Envelope
from health_score.domain.fact import Fact
from health_score.domain.signals.latest import Latest
from health_score.domain.signals.open_items import Open
from health_score.domain.signals.selector import Selector

SECRET = "secret"
NOW = int(START.timestamp())
CONFIGURATION: dict[str, Any] = {
    "webhooks": {
        "stripe": {"kind": "stripe", "secret_env": "SECRET"},
        "zendesk": {"kind": "zendesk", "secret_env": "SECRET"},
        "intercom": {"kind": "intercom", "secret_env": "SECRET"},
        "crm": {
            "kind": "generic",
            "secret_env": "SECRET",
            "signature": {"header": "X-Signature", "prefix": "sha256="},
            "each": "calls",
            "account": "company",
            "facts": [{"type": "csm.touchpoint.occurred", "data": {"touchpoint": "kind"}}],
        },
    }
}
_decode = msgspec.json.Decoder(Envelope).decode


def signed(name: str, body: bytes) -> dict[str, str]:
    key, at = SECRET.encode(), str(NOW)
    if name == "stripe":
        header = stripe.WebhookSignature.generate_signature_header(body.decode(), SECRET, NOW)
        return {"stripe-signature": header}
    if name == "zendesk":
        digest = hmac.digest(key, at.encode() + body, "sha256")
        return {
            "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
            "X-Zendesk-Webhook-Signature-Timestamp": at,
        }
    if name == "intercom":
        return {"X-Hub-Signature": "sha1=" + hmac.digest(key, body, "sha1").hex()}
    return {"X-Signature": "sha256=" + hmac.digest(key, body, "sha256").hex()}


def open_hooks() -> Door:
    return open_door(configuration=CONFIGURATION, environment={"SECRET": SECRET})


@pytest.fixture
async def hooks() -> AsyncIterator[Door]:
    door = open_hooks()
    async with door.client:
        yield door


async def deliver(door: Door, name: str, payload: object) -> httpx.Response:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    answer = await door.client.post(f"/v1/webhooks/{name}", content=body, headers=signed(name, body))
    assert answer.status_code == 200, answer.text
    return answer


async def status(door: Door, name: str, payload: object) -> str:
    return str((await deliver(door, name, payload)).json()["status"])


def facts(door: Door) -> list[Envelope]:
    """Everything on the log, and what is on its way there."""
    waiting = [each for each in door.store.tables.outbox.messages if each.topic == "customer.events.v1"]
    return [_decode(each.value or b"") for each in [*door.facts, *waiting]]


def folded(door: Door, signal: Open | Latest) -> float:
    """What health-score reads: every id once, in the order of the log."""
    state: Any = None
    for told in {(each.source, each.id): each for each in facts(door)}.values():
        fact = Fact(told.id, told.type, told.subject, told.time.timestamp(), told.data)
        if told.type in signal.select.types:
            state = signal.fold(state, fact)
    return signal.form(state).value(START.timestamp())


UNPAID = Open(Selector(("csm.invoice.changed",)), "invoice_id", {"status": ("failed", "overdue")})
MRR = Latest(Selector(("csm.subscription.changed",), value="mrr"))


def stripe_life() -> list[dict[str, Any]]:
    """An invoice that fails twice and is paid in the second of its last failure; a subscription that grows and ends."""
    first, later = NOW - 9_000, NOW - 5_000
    told = [
        stripe_event("invoice.created", invoice(status="draft"), created=first),
        stripe_event("invoice.finalized", invoice(), created=first),
        stripe_event("invoice.payment_failed", invoice(), created=first + 60),
        stripe_event("invoice.payment_failed", invoice(), created=later),
        stripe_event("invoice.paid", invoice(status="paid"), created=later),
        stripe_event("invoice.payment_failed", invoice(id="in_2"), created=later + 5),
        stripe_event("customer.subscription.created", subscription(), created=first),
        stripe_event("customer.subscription.updated", subscription(plan={"x": 1}), created=first),
        stripe_event("customer.subscription.deleted", subscription(status="canceled"), created=later),
    ]
    # The id of the payment is smaller than that of the failure of the same second: ids must not decide.
    return [each | {"id": f"evt_{(place * 3) % 10}"} for place, each in enumerate(told)]


@pytest.mark.parametrize("seed", range(20))
async def test_stripe_repeated_and_in_any_order(hooks: Door, seed: int) -> None:
    random, life = Random(seed), stripe_life()  # noqa: S311
    deliveries = life + random.sample(life, 4)
    random.shuffle(deliveries)
    for each in deliveries:
        assert await status(hooks, "stripe", each) in {"accepted", "duplicate"}
    assert len({(each.source, each.id) for each in facts(hooks)}) == len(life)
    assert {each.subject for each in facts(hooks)} == {"cus_1"}
    assert folded(hooks, UNPAID) == 1.0
    assert folded(hooks, MRR) == 0.0
    assert not hooks.rejections


async def test_stripe_s_customer_is_linked_by_its_metadata(hooks: Door) -> None:
    customer = {"id": "cus_1", "object": "customer", "metadata": {"account_id": "acme"}}
    link = stripe_event("customer.updated", customer, id="evt_link", created=NOW - 100)
    assert await status(hooks, "stripe", link) == "accepted"
    await deliver(hooks, "stripe", stripe_event("invoice.paid", invoice(), created=NOW - 50))
    assert [each.subject for each in facts(hooks)] == ["acme"]


async def test_zendesk_by_organization_and_by_its_external_id(hooks: Door) -> None:
    time = (START - timedelta(hours=1)).isoformat()
    await deliver(hooks, "zendesk", zendesk_event("ticket.created", ticket(), time=time))
    assert [each.subject for each in facts(hooks)] == ["844"]
    link = zendesk_event("organization.created", {"id": "844", "external_id": "acme"}, id="e-2", time=time)
    await deliver(hooks, "zendesk", link)
    await deliver(hooks, "zendesk", zendesk_event("ticket.created", ticket(id="9"), id="e-3", time=time))
    assert [each.subject for each in facts(hooks)] == ["844", "acme"]


async def test_intercom_waits_for_the_company(hooks: Door) -> None:
    at = {"created_at": NOW - 100}
    talk = notification("conversation.user.created", conversation(), **at)
    assert await status(hooks, "intercom", talk) == "held"
    assert await status(hooks, "intercom", talk) == "held"
    assert facts(hooks) == []
    person = notification("user.created", USER | {"companies": companies("acme")}, id="notif_2", **at)
    assert await status(hooks, "intercom", person) == "accepted"
    (told,) = facts(hooks)
    assert (told.subject, told.type, told.data["ticket_id"]) == ("acme", "csm.ticket.changed", "137")
    rated = conversation(conversation_rating={"rating": 2})
    rating = notification("conversation.rating.added", rated, id="notif_3", **at)
    assert await status(hooks, "intercom", rating) == "accepted"
    assert {(each.subject, each.type) for each in facts(hooks)} == {
        ("acme", "csm.ticket.changed"),
        ("acme", "csm.survey.answered"),
    }


async def test_a_delivery_that_nobody_can_read_is_kept(hooks: Door) -> None:
    told = (await deliver(hooks, "stripe", b'{"hello": "world"}')).json()
    assert (told["status"], told["rejected"][0]["code"]) == ("rejected", "invalid_payload")
    (kept,) = hooks.rejections
    assert (kept.source, kept.format, kept.body) == (
        "webhook/stripe",
        "webhook/stripe",
        b'{"hello": "world"}',
    )


async def test_the_same_id_with_another_story_is_a_conflict(hooks: Door) -> None:
    paid = stripe_event("invoice.paid", invoice(), created=NOW - 50)
    await deliver(hooks, "stripe", paid)
    other = stripe_event("invoice.paid", invoice(id="in_9"), created=NOW - 50)
    told = (await deliver(hooks, "stripe", other)).json()
    assert (told["status"], told["rejected"][0]["code"]) == ("rejected", "conflicting_id")


async def test_several_messages_in_one_delivery(hooks: Door) -> None:
    call = {"company": "acme", "kind": "call"}
    payload = {"calls": [call, call, {"kind": "call"}]}
    told = (await deliver(hooks, "crm", payload)).json()
    assert (told["status"], told["messages"]) == ("rejected", 3)
    assert [(each["index"], each["code"]) for each in told["rejected"]] == [(2, "unknown_account")]
    assert await status(hooks, "crm", payload) == "rejected"
    assert len({each.id for each in facts(hooks)}) == 2, "two equal calls are two, and no more when repeated"


async def test_a_payload_much_larger_than_an_event_may_be(hooks: Door) -> None:
    lines = [{"id": f"il_{place}", "description": "x" * 100} for place in range(1000)]
    paid = stripe_event("invoice.paid", invoice(lines={"data": lines}), created=NOW - 50)
    assert await status(hooks, "stripe", paid) == "accepted"
    assert len(facts(hooks)) == 1


async def test_every_webhook_is_in_the_document(hooks: Door) -> None:
    document = (await hooks.client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/webhooks/{name}"]["post"]
    reference = operation["responses"]["401"]["content"]["application/problem+json"]["schema"]["$ref"]
    assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]
