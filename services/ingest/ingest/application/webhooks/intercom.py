"""Intercom's notifications: conversations and tickets as states of an account, ratings, and who belongs to which company.

A conversation names its person and mostly no company: the account is the one that person is in, because a notification
about the person has told of the company, or the product's own SDK of the same user id. Until then it waits. Notifications
come in any order and tell whole seconds: the milliseconds that we add put "replied" before "closed" of the same second.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from ingest.application.incoming import Draft, Incoming, Received
from ingest.application.webhooks.fields import body_id, decoded, instant, known, look, number, text
from ingest.application.webhooks.intercom_people import company_of, names_of, person_in
from ingest.domain.decision import Rejected

_RATED = "conversation.rating.added"
_LEAVING = frozenset({"company.contact.detached", "contact.archived", "contact.deleted", "user.deleted"})
_CONVERSATION_STATES = {"open": "open", "snoozed": "on_hold", "closed": "closed"}
_TICKET_STATES = {
    "submitted": "open",
    "in_progress": "open",
    "waiting_on_customer": "pending",
    "resolved": "solved",
}
_ORDER = ("open", "pending", "on_hold", "solved", "closed")
_PRIORITIES = {"priority": "high", "not_priority": "normal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notification:
    id: str
    topic: str
    time: datetime
    item: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntercomReader:
    """Reads notifications. `company_key` says which of a company's ids is the account's: the product's own `company_id`, or
    Intercom's `id`."""

    company_key: Literal["company_id", "id"] = "company_id"

    def __call__(self, received: Received) -> Incoming | Rejected:
        """What the notification tells; a topic that we make nothing of is understood, and tells nothing."""
        told = _notification(received)
        if isinstance(told, Rejected):
            return told
        person = person_in(told.item)
        users = names_of(person)
        drafts = _drafts(told, users)
        if isinstance(drafts, Rejected):
            return drafts
        company = None if told.topic in _LEAVING else company_of(told.item, person, self.company_key)
        if drafts and not (users or company):
            return Rejected("unknown_contact", f"{told.topic} names nobody, so its account cannot be known.")
        return Incoming(
            id=told.id,
            source=received.source,
            time=told.time,
            name=told.topic,
            properties=told.item,
            drafts=drafts,
            account=company if drafts else None,
            users=users if drafts or company else (),
            joins=company if users else None,
        )


def _notification(received: Received) -> _Notification | Rejected:
    payload = decoded(received)
    if isinstance(payload, Rejected):
        return payload
    topic, time, item = (
        text(payload.get("topic")),
        instant(payload.get("created_at")),
        look(payload, "data", "item"),
    )
    if topic is None or time is None or not isinstance(item, dict):
        return Rejected(
            "invalid_payload",
            "This is no notification as Intercom sends it: topic, created_at and data.item are needed.",
        )
    return _Notification(id=text(payload.get("id")) or body_id(received), topic=topic, time=time, item=item)


def _drafts(told: _Notification, users: tuple[str, ...]) -> tuple[Draft, ...] | Rejected:
    person = users[0] if users else None
    if told.topic == _RATED:
        return _rating(told, person)
    if told.item.get("type") in ("conversation", "ticket"):
        return _state(told, person)
    return ()


def _state(told: _Notification, person: str | None) -> tuple[Draft, ...] | Rejected:
    item, status = told.item, _status(told)
    ticket_id = text(item.get("id"))
    if ticket_id is None or status is None:
        return Rejected(
            "invalid_payload", f"data.item of {told.topic} needs an id, and a state that we know or open."
        )
    priority = item.get("priority")
    data = {
        "ticket_id": ticket_id,
        "status": status,
        "priority": _PRIORITIES.get(priority) if isinstance(priority, str) else None,
        "user_id": person,
        "topic": text(look(item, "ticket_type", "name")),
    }
    time = told.time + timedelta(milliseconds=_ORDER.index(status))
    return (Draft(id=told.id, type="csm.ticket.changed", time=time, data=known(data)),)


def _status(told: _Notification) -> str | None:
    item = told.item
    if told.topic == "conversation.deleted" or item.get("open") is False:
        return "closed"
    category = look(item, "ticket_state", "category") or item.get("ticket_state")
    for states, state in ((_TICKET_STATES, category), (_CONVERSATION_STATES, item.get("state"))):
        if isinstance(state, str) and state in states:
            return states[state]
    return "open" if item.get("open") is True else None


def _rating(told: _Notification, person: str | None) -> tuple[Draft, ...] | Rejected:
    rating = told.item.get("conversation_rating")
    score = number(look(rating, "rating"))
    if score is None or not 1 <= score <= 5:
        return Rejected(
            "unknown_rating", "data.item.conversation_rating.rating must be a number from 1 to 5."
        )
    data = {
        "kind": "csat",
        "score": score,
        "scale_max": 5.0,
        "touchpoint": "conversation",
        "respondent_id": person,
        "comment": text(look(rating, "remark")),
    }
    return (Draft(id=told.id, type="csm.survey.answered", time=told.time, data=known(data)),)
