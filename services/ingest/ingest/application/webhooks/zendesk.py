"""Zendesk's events: tickets as states of an account, and what organizations and users are called in the product.

Zendesk delivers in any order; every ticket event carries the whole ticket as it was at the event's time. The account is the
requester's organization. A ticket without one waits until an account is known of its requester.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ingest.application.incoming import Draft, Incoming, Received
from ingest.application.webhooks.fields import decoded, instant, known, look, text
from ingest.domain.decision import Rejected

_TICKET = "zen:event-type:ticket."
_ORGANIZATION = "zen:event-type:organization."
_USER = "zen:event-type:user."
_STATUS = {
    "new": "open",
    "open": "open",
    "pending": "pending",
    "hold": "on_hold",
    "solved": "solved",
    "closed": "closed",
    "deleted": "closed",
}
_GONE = frozenset({"soft_deleted", "permanently_deleted", "marked_as_spam", "merged"})
_PRIORITIES = ("low", "normal", "high", "urgent")
_RATINGS = {"good": 5.0, "bad": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    id: str
    type: str
    time: datetime
    detail: dict[str, Any]
    event: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZendeskReader:
    """Reads events. A ticket with one of the `escalated_tags` is escalated. An organization whose account nobody has told
    is an account of its own, or its tickets wait (`hold_unlinked`)."""

    escalated_tags: frozenset[str] = frozenset({"escalated", "escalation"})
    hold_unlinked: bool = False

    def __call__(self, received: Received) -> Incoming | Rejected:
        """What the event tells; one of anything but tickets, organizations and users is understood, and tells nothing."""
        event = _event(received)
        if isinstance(event, Rejected):
            return event
        incoming = Incoming(
            id=event.id,
            source=received.source,
            time=event.time,
            name=event.type,
            properties=event.detail,
        )
        if event.type.startswith(_TICKET):
            return self._ticket(incoming, event)
        return _linked(incoming, event)

    def _ticket(self, incoming: Incoming, event: _Event) -> Incoming | Rejected:
        organization = _id(event.detail, "organization_id")
        name = f"zendesk:org:{organization}" if organization else _requester(event.detail)
        if name is None:
            return Rejected("unknown_requester", "The ticket names neither an organization nor a requester.")
        what = event.type.removeprefix(_TICKET)
        draft = _rating(event) if "satisfaction" in what else self._state(event, what)
        if isinstance(draft, Rejected):
            return draft
        fallback = None if self.hold_unlinked else organization
        return replace(incoming, drafts=(draft,), users=(name,), fallback=fallback)

    def _state(self, event: _Event, what: str) -> Draft | Rejected:
        ticket = event.detail
        status = "closed" if what in _GONE else _STATUS.get(_word(ticket.get("status")))
        if text(ticket.get("id")) is None or status is None:
            return Rejected(
                "invalid_payload",
                f"detail of {event.type} needs an id, and a status out of {', '.join(_STATUS)}.",
            )
        priority = _word(ticket.get("priority"))
        data = {
            "ticket_id": text(ticket.get("id")),
            "status": status,
            "priority": priority if priority in _PRIORITIES else None,
            "escalated": self._escalated(ticket.get("tags")),
            "user_id": _requester(ticket),
            "topic": _word(ticket.get("type")) or None,
        }
        return Draft(id=event.id, type="csm.ticket.changed", time=event.time, data=known(data))

    def _escalated(self, tags: Any) -> bool | None:
        if not isinstance(tags, list):
            return None
        return any(_word(each) in self.escalated_tags for each in tags)


def _event(received: Received) -> _Event | Rejected:
    payload = decoded(received)
    if isinstance(payload, Rejected):
        return payload
    event_id, event_type = text(payload.get("id")), text(payload.get("type"))
    time, detail, event = instant(payload.get("time")), payload.get("detail"), payload.get("event")
    if event_id is None or event_type is None or time is None or not isinstance(detail, dict):
        return Rejected(
            "invalid_payload",
            "This is no event as Zendesk sends it: id, type, time and detail are needed."
            " For what a trigger sends, use a webhook of the kind `generic`.",
        )
    return _Event(
        id=event_id, type=event_type, time=time, detail=detail, event=event if isinstance(event, dict) else {}
    )


def _linked(incoming: Incoming, event: _Event) -> Incoming:
    """An organization's or a user's id in the product, where it has one."""
    own, id_here = text(event.detail.get("external_id")), _id(event.detail, "id")
    if own and id_here and event.type.startswith(_ORGANIZATION):
        return replace(incoming, users=(f"zendesk:org:{id_here}",), joins=own)
    if own and id_here and event.type.startswith(_USER):
        return replace(incoming, users=(own, f"zendesk:user:{id_here}"))
    return incoming


def _rating(event: _Event) -> Draft | Rejected:
    told = look(event.detail, "satisfaction_rating")
    word = _word(look(told, "score")) or _word(event.event.get("current"))
    if word not in _RATINGS:
        return Rejected("unknown_rating", f"The rating is {word[:40]!r}, expected good or bad.")
    data = {
        "kind": "csat",
        "score": _RATINGS[word],
        "scale_max": 5.0,
        "touchpoint": "ticket",
        "respondent_id": _requester(event.detail),
        "comment": text(look(told, "comment")),
    }
    return Draft(id=event.id, type="csm.survey.answered", time=event.time, data=known(data))


def _id(detail: dict[str, Any], name: str) -> str | None:
    """Zendesk writes 0 where there is none."""
    told = text(detail.get(name))
    return None if told == "0" else told


def _requester(ticket: dict[str, Any]) -> str | None:
    told = _id(ticket, "requester_id")
    return f"zendesk:user:{told}" if told else None


def _word(told: Any) -> str:
    """Zendesk writes the same words large and small."""
    return told.lower() if isinstance(told, str) else ""
