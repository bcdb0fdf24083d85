"""Stripe's events: invoices and subscriptions as states of an account.

Stripe delivers at least once and in any order. Every event carries its object as it was at `created`, so it becomes a state
at that time, under the event's own id. `created` is in whole seconds and an invoice is often finalized and paid within one:
the milliseconds that we add put states of the same second into the order in which they can only follow each other.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ingest.application.incoming import Draft, Incoming, Received
from ingest.application.webhooks.fields import decoded, instant, known, look, moment, number, text
from ingest.application.webhooks.money import currency_code, major_units
from ingest.application.webhooks.stripe_prices import first_seats, monthly_revenue, plan_name
from ingest.domain.decision import Rejected

_INVOICE_STATUS = {
    "invoice.created": "open",
    "invoice.finalized": "open",
    "invoice.overdue": "overdue",
    "invoice.payment_failed": "failed",
    "invoice.marked_uncollectible": "failed",
    "invoice.deleted": "void",
    "invoice.voided": "void",
    "invoice.paid": "paid",
    "invoice.payment_succeeded": "paid",
}
_INVOICE_ORDER = ("open", "overdue", "failed", "void", "paid")
_SUBSCRIPTION = "customer.subscription."
_SUBSCRIPTION_ORDER = {"created": 0, "deleted": 2}
_ENDED = ("canceled", "incomplete_expired")
_LINKING = ("customer.created", "customer.updated")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    id: str
    type: str
    created: datetime
    object: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeReader:
    """Reads events. The account is in the metadata under `metadata_key`; a customer whose account nobody has told is an
    account of its own, or its events wait (`hold_unlinked`)."""

    metadata_key: str = "account_id"
    hold_unlinked: bool = False

    def __call__(self, received: Received) -> Incoming | Rejected:
        """What the event tells; an event of a type that we make nothing of is understood, and tells nothing."""
        event = _event(received)
        if isinstance(event, Rejected):
            return event
        drafts = _drafts(event)
        if isinstance(drafts, Rejected):
            return drafts
        incoming = Incoming(
            id=event.id,
            source=received.source,
            time=event.created,
            name=event.type,
            properties=event.object,
            drafts=drafts,
        )
        return self._attributed(incoming, event) if drafts or event.type in _LINKING else incoming

    def _attributed(self, incoming: Incoming, event: _Event) -> Incoming | Rejected:
        customer, account = _customer(event), self._account(event.object)
        if not (customer or account):
            return Rejected(
                "unknown_customer", "data.object names no customer, and its metadata tells no account."
            )
        return replace(
            incoming,
            account=account,
            users=(f"stripe:{customer}",) if customer else (),
            joins=account if customer else None,
            fallback=None if self.hold_unlinked else customer,
        )

    def _account(self, told: dict[str, Any]) -> str | None:
        places = (
            told,
            look(told, "parent", "subscription_details"),
            look(told, "subscription_details"),
            look(told, "customer"),
        )
        found = (text(look(place, "metadata", self.metadata_key)) for place in places)
        return next((each for each in found if each), None)


def _event(received: Received) -> _Event | Rejected:
    payload = decoded(received)
    if isinstance(payload, Rejected):
        return payload
    event_id, event_type = text(payload.get("id")), text(payload.get("type"))
    created, told = instant(payload.get("created")), look(payload, "data", "object")
    if event_id is None or event_type is None or created is None or not isinstance(told, dict):
        return Rejected(
            "invalid_payload",
            "This is no event as Stripe sends it: id, type, created and data.object are needed."
            " Choose the payload style `snapshot` for the endpoint.",
        )
    return _Event(id=event_id, type=event_type, created=created, object=told)


def _customer(event: _Event) -> str | None:
    if event.type in _LINKING:
        return text(event.object.get("id"))
    told = event.object.get("customer")
    return text(look(told, "id")) or text(told) or text(event.object.get("customer_account"))


def _drafts(event: _Event) -> tuple[Draft, ...] | Rejected:
    if event.type in _INVOICE_STATUS:
        return _draft(event, "csm.invoice.changed", _invoice(event))
    if event.type.startswith(_SUBSCRIPTION):
        return _draft(event, "csm.subscription.changed", _subscription(event))
    return ()


def _draft(event: _Event, type: str, told: tuple[dict[str, Any], int]) -> tuple[Draft, ...] | Rejected:
    data, rank = told
    if text(event.object.get("id")) is None:
        return Rejected("invalid_payload", f"data.object of {event.type} has no id.")
    time = event.created + timedelta(milliseconds=rank)
    return (Draft(id=event.id, type=type, time=time, data=known(data)),)


def _invoice(event: _Event) -> tuple[dict[str, Any], int]:
    invoice = event.object
    status = _INVOICE_STATUS[event.type]
    if status == "open" and invoice.get("status") in ("paid", "void"):
        status = invoice["status"]  # nothing was due, so it is settled as soon as it is there
    amount = number(invoice.get("amount_due"))
    data = {
        "invoice_id": text(invoice.get("id")),
        "status": status,
        "amount": major_units(
            number(invoice.get("total")) if amount is None else amount, invoice.get("currency")
        ),
        "currency": currency_code(invoice.get("currency")),
        "due": moment(invoice.get("due_date")),
        "subscription_id": _subscription_of(invoice),
    }
    return data, _INVOICE_ORDER.index(status)


def _subscription_of(invoice: dict[str, Any]) -> str | None:
    told = look(invoice, "parent", "subscription_details", "subscription") or invoice.get("subscription")
    return text(look(told, "id")) or text(told)


def _subscription(event: _Event) -> tuple[dict[str, Any], int]:
    subscription = event.object
    ended = subscription.get("status") in _ENDED
    leaves = bool(subscription.get("cancel_at_period_end") or subscription.get("cancel_at"))
    data = {
        "subscription_id": text(subscription.get("id")),
        "status": text(subscription.get("status")),
        "plan": plan_name(subscription),
        "mrr": 0.0 if ended else monthly_revenue(subscription),
        "currency": currency_code(subscription.get("currency")),
        "seats": first_seats(subscription),
        "start": moment(subscription.get("start_date")),
        "term_end": moment(_period_end(subscription)),
        "auto_renew": not (ended or leaves),
        "cancelled_at": moment(subscription.get("canceled_at")),
    }
    return data, _SUBSCRIPTION_ORDER.get(event.type.removeprefix(_SUBSCRIPTION), 1)


def _period_end(subscription: dict[str, Any]) -> Any:
    """On the subscription until 2025, on its items since."""
    items = look(subscription, "items", "data")
    first = items[0] if isinstance(items, list) and items else None
    return subscription.get("current_period_end") or look(first, "current_period_end")
