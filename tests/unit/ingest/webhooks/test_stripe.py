"""Stripe's invoices and subscriptions, as the product's facts about an account."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from tests.unit.ingest.webhooks.samples import code_of, only_draft, received, sample, understood

from csm_common.contracts.facts import FACTS
from ingest.application.incoming import Draft, Incoming
from ingest.application.shapes import data_problem
from ingest.application.webhooks.stripe import StripeReader

READ = StripeReader()
CREATED = 1_767_225_600
TIME = datetime.fromtimestamp(CREATED, UTC)


def event(event_type: str, told: dict[str, Any], **members: Any) -> dict[str, Any]:
    whole = {
        "id": "evt_1",
        "object": "event",
        "type": event_type,
        "created": CREATED,
        "data": {"object": told},
    }
    return whole | members


def invoice(**members: Any) -> dict[str, Any]:
    whole = {
        "id": "in_1",
        "object": "invoice",
        "status": "open",
        "customer": "cus_1",
        "currency": "eur",
        "amount_due": 11900,
        "total": 12900,
        "due_date": CREATED + 86_400,
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}},
    }
    return whole | members


def item(
    amount: int | None, quantity: int | None = 1, interval: str = "month", **price: Any
) -> dict[str, Any]:
    recurring = {
        "interval": interval,
        "interval_count": price.pop("every", 1),
        "usage_type": price.pop("usage", "licensed"),
    }
    told: dict[str, Any] = {"price": {"id": "price_1", "unit_amount": amount, "recurring": recurring} | price}
    return told if quantity is None else told | {"quantity": quantity}


def subscription(*items: dict[str, Any], **members: Any) -> dict[str, Any]:
    whole = {
        "id": "sub_1",
        "object": "subscription",
        "status": "active",
        "customer": "cus_1",
        "currency": "usd",
        "start_date": CREATED,
        "current_period_end": CREATED + 86_400,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "items": {"data": list(items) or [item(2000, 3)], "has_more": False},
    }
    return whole | members


def changed(told: dict[str, Any], event_type: str = "customer.subscription.updated") -> Draft:
    """The one fact, which is as the contract wants it."""
    draft = only_draft(READ(received(event(event_type, told))))
    assert data_problem(draft.type, draft.data) is None
    return draft


@pytest.mark.parametrize(
    ("event_type", "status"),
    [
        ("invoice.created", "open"),
        ("invoice.finalized", "open"),
        ("invoice.overdue", "overdue"),
        ("invoice.payment_failed", "failed"),
        ("invoice.marked_uncollectible", "failed"),
        ("invoice.paid", "paid"),
        ("invoice.payment_succeeded", "paid"),
        ("invoice.voided", "void"),
        ("invoice.deleted", "void"),
    ],
)
def test_an_invoice_is_a_state(event_type: str, status: str) -> None:
    draft = changed(invoice(), event_type)
    assert draft.id == "evt_1"
    assert draft.type == "csm.invoice.changed"
    assert draft.data == {
        "invoice_id": "in_1",
        "status": status,
        "amount": 119.0,
        "currency": "EUR",
        "due": "2026-01-02T00:00:00Z",
        "subscription_id": "sub_1",
    }


def test_an_invoice_over_nothing_is_settled_at_once() -> None:
    assert changed(invoice(status="paid", amount_due=0), "invoice.finalized").data["status"] == "paid"


def test_the_old_place_of_the_subscription() -> None:
    told = invoice(parent=None, subscription="sub_old")
    assert changed(told, "invoice.paid").data["subscription_id"] == "sub_old"


@pytest.mark.parametrize(
    ("currency", "amount"), [("jpy", 11900.0), ("usd", 119.0), ("kwd", 11.9), ("isk", 119.0)]
)
def test_amounts_in_whole_units(currency: str, amount: float) -> None:
    assert changed(invoice(currency=currency), "invoice.paid").data["amount"] == amount


def test_states_of_one_second_are_in_the_order_in_which_they_follow_each_other() -> None:
    order = ["invoice.finalized", "invoice.overdue", "invoice.payment_failed", "invoice.paid"]
    times = [changed(invoice(), each).time for each in order]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert (times[-1] - times[0]).total_seconds() < 1

    order = [f"customer.subscription.{each}" for each in ("created", "updated", "deleted")]
    times = [changed(subscription(), each).time for each in order]
    assert all(earlier < later for earlier, later in pairwise(times))


def test_a_subscription() -> None:
    draft = changed(subscription())
    assert draft.type == "csm.subscription.changed"
    assert draft.data == {
        "subscription_id": "sub_1",
        "status": "active",
        "plan": "price_1",
        "mrr": 60.0,
        "currency": "USD",
        "seats": 3.0,
        "start": "2026-01-01T00:00:00Z",
        "term_end": "2026-01-02T00:00:00Z",
        "auto_renew": True,
    }


def test_the_new_place_of_the_period_s_end() -> None:
    told = subscription(item(2000) | {"current_period_end": CREATED + 172_800}, current_period_end=None)
    assert changed(told).data["term_end"] == "2026-01-03T00:00:00Z"


@pytest.mark.parametrize("leaves", [{"cancel_at_period_end": True}, {"cancel_at": CREATED + 5}])
def test_a_subscription_that_will_end(leaves: dict[str, Any]) -> None:
    told = changed(subscription(canceled_at=CREATED, **leaves)).data
    assert told["auto_renew"] is False
    assert told["cancelled_at"] == "2026-01-01T00:00:00Z"
    assert told["mrr"] == 20.0 * 3


def test_a_subscription_that_has_ended() -> None:
    told = changed(subscription(status="canceled"), "customer.subscription.deleted").data
    assert (told["status"], told["mrr"], told["auto_renew"]) == ("canceled", 0.0, False)


@pytest.mark.parametrize(
    ("items", "mrr"),
    [
        ([item(120_000, interval="year")], 100.0),
        ([item(30_000, every=3)], 100.0),
        ([item(700, interval="week")], 30.42),
        ([item(100, interval="day")], 30.42),
        ([item(2000), item(500, 4)], 40.0),
        ([item(2000), item(None, None, usage="metered")], 20.0),
        ([item(None, unit_amount_decimal="0.5", quantity=1000)], 5.0),
        ([item(2000, quantity=None)], 20.0),
        ([item(500, 250, transform_quantity={"divide_by": 100, "round": "up"})], 15.0),
        ([item(500, 250, transform_quantity={"divide_by": 100, "round": "down"})], 10.0),
        (
            [{"plan": {"id": "p", "amount": 2000, "interval": "month", "interval_count": 2}, "quantity": 2}],
            20.0,
        ),
    ],
)
def test_monthly_revenue(items: list[dict[str, Any]], mrr: float) -> None:
    assert changed(subscription(*items)).data["mrr"] == mrr


@pytest.mark.parametrize(
    "told",
    [
        subscription(item(None, tiers_mode="graduated")),
        subscription(items={"data": [item(2000)], "has_more": True}),
        subscription(item(2000, interval="moon")),
        subscription(items=None),
    ],
)
def test_revenue_that_cannot_be_known_is_not_told(told: dict[str, Any]) -> None:
    assert "mrr" not in changed(told).data


def test_revenue_in_yen() -> None:
    assert changed(subscription(currency="jpy")).data["mrr"] == 6000.0


def test_the_plan_by_the_name_people_gave_it() -> None:
    assert changed(subscription(item(1, nickname="Business"))).data["plan"] == "Business"
    assert changed(subscription(item(1, lookup_key="business_monthly"))).data["plan"] == "business_monthly"


def test_a_subscription_of_old_with_one_plan() -> None:
    plan = {"id": "gold", "amount": 2000, "interval": "month", "interval_count": 1}
    told = changed(subscription(items=None, plan=plan, quantity=2)).data
    assert (told["plan"], told["mrr"], told["seats"]) == ("gold", 40.0, 2.0)


def attribution(told: Incoming) -> tuple[str | None, tuple[str, ...], str | None, str | None]:
    return told.account, told.users, told.joins, told.fallback


def test_a_customer_nobody_linked_is_an_account_or_waits() -> None:
    message = received(event("invoice.paid", invoice()))
    assert attribution(understood(READ(message))) == (None, ("stripe:cus_1",), None, "cus_1")
    holding = StripeReader(hold_unlinked=True)
    assert attribution(understood(holding(message))) == (None, ("stripe:cus_1",), None, None)


@pytest.mark.parametrize(
    "told",
    [
        invoice(metadata={"account_id": "acme"}),
        invoice(parent={"subscription_details": {"metadata": {"account_id": "acme"}}}),
        invoice(subscription_details={"metadata": {"account_id": "acme"}}),
        invoice(customer={"id": "cus_1", "metadata": {"account_id": "acme"}}),
    ],
)
def test_metadata_links_the_customer(told: dict[str, Any]) -> None:
    read = understood(READ(received(event("invoice.paid", told))))
    assert attribution(read) == ("acme", ("stripe:cus_1",), "acme", "cus_1")


def test_a_key_of_ones_own_in_the_metadata() -> None:
    read = StripeReader(metadata_key="tenant")
    told = invoice(metadata={"tenant": "acme", "account_id": "other"})
    assert understood(read(received(event("invoice.paid", told)))).account == "acme"


def test_a_customer_s_metadata_links_it_and_makes_no_fact() -> None:
    customer = {"id": "cus_1", "object": "customer", "metadata": {"account_id": "acme"}}
    read = understood(READ(received(event("customer.updated", customer))))
    assert read.drafts == ()
    assert (read.users, read.joins) == (("stripe:cus_1",), "acme")


@pytest.mark.parametrize(
    "event_type",
    ["charge.refunded", "invoice.updated", "invoice.sent", "invoice.upcoming", "customer.deleted"],
)
def test_other_events_are_understood_and_tell_nothing(event_type: str) -> None:
    read = understood(READ(received(event(event_type, invoice()))))
    assert (read.id, read.time, read.name) == ("evt_1", TIME, event_type)
    assert (read.drafts, read.users, read.joins) == ((), (), None)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"not json", "invalid_json"),
        (b"\xff", "invalid_json"),
        (b"[" * 100_000, "too_deep"),
        ([], "invalid_payload"),
        ({"id": "evt_1", "object": "event", "type": "invoice.payment_failed"}, "invalid_payload"),
        (event("invoice.paid", invoice(), created="yesterday"), "invalid_payload"),
        (event("invoice.paid", invoice(id=None)), "invalid_payload"),
        (event("invoice.paid", invoice(customer=None)), "unknown_customer"),
    ],
)
def test_what_cannot_be_read_says_why(payload: object, code: str) -> None:
    assert code_of(READ(received(payload))) == code


@pytest.mark.parametrize(
    ("name", "event_type"),
    [("invoice", "invoice.payment_failed"), ("subscription", "customer.subscription.updated")],
)
def test_stripe_s_own_objects(name: str, event_type: str) -> None:
    told = json.loads(sample("stripe/fixtures3.json"))["resources"][name]
    draft = changed(told, event_type)
    assert draft.data["currency"] == "USD"
    if name == "invoice":
        assert (draft.data["status"], draft.data["amount"]) == ("failed", 10.0)
        assert draft.data["subscription_id"] == "subscription"
    else:
        assert (draft.data["mrr"], draft.data["seats"], draft.data["auto_renew"]) == (20.0, 1.0, False)
        assert draft.data["term_end"] == "2000-12-08T15:02:53Z"
    assert set(draft.data) - {"subscription_id"} <= {each.name for each in fields(FACTS[draft.type])}


def test_every_object_of_stripe_s_gets_an_answer() -> None:
    for name, told in json.loads(sample("stripe/fixtures3.json"))["resources"].items():
        for event_type in ("invoice.paid", "customer.subscription.updated", f"{name}.updated"):
            READ(received(event(event_type, told)))
