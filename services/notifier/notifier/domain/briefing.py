"""What a template gets to see: the request's context with every expected field present, so that templates can be strict.

A field that is missing or of the wrong kind reads as None or an empty list: a strange context yields a plainer message, not none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from notifier.domain.notification import Notification

_ACCOUNT_FIELDS = ("plan", "segment", "stage", "owner", "team", "region", "currency")
_LEAST_CHANGE = 0.5  # less is shown as no change at all


@dataclass(frozen=True, slots=True)
class Part:
    """A measure that moved, in points of the whole score; `change` is what that gained by it, None where a side is unknown."""

    measure: str
    before: float | None
    after: float | None
    change: float | None = field(init=False)

    def __post_init__(self) -> None:
        """Set what follows from the others; a field, because it travels to where templates are rendered."""
        change = None if self.before is None or self.after is None else self.after - self.before
        object.__setattr__(self, "change", change)


def brief(
    notification: Notification,
    now: datetime,
    trend: Sequence[Mapping[str, Any]] = (),
    unsubscribe_url: str | None = None,
    preferences_url: str | None = None,
) -> dict[str, Any]:
    """The template's variables: all of the context's own, and over them those every template may count on.

    `trend` are the account's last scores as `{"at": datetime, "score": 0…100}`, oldest first; the links are for letters.
    """
    context = notification.context
    crossing, playbook = _mapping(context.get("crossing")), _mapping(context.get("playbook"))
    account = _account(notification)
    score = _number(context.get("score"))
    return {
        **context,
        "account": account,
        "account_id": notification.account_id,
        "score": score,
        "score_before": _score_before(score, crossing),
        "value": _number(crossing.get("after")),
        "band": _text(context.get("band")),
        "band_before": _text(crossing.get("band_before")),
        "coverage": _number(context.get("coverage")),
        "parts": _parts(crossing.get("parts")),
        "trend": list(trend),
        "items": list(_items(context.get("items"))),
        "renewal_in_days": (account["renewal_date"] - now.date()).days if account["renewal_date"] else None,
        "playbook": {"name": notification.playbook, "title": _text(playbook.get("title"))},
        "internal": notification.message_class == "internal",
        "notification_id": notification.id,
        "requested_at": notification.requested_at,
        "unsubscribe_url": unsubscribe_url,
        "preferences_url": preferences_url,
    }


def _score_before(score: float | None, crossing: Mapping[str, Any]) -> float | None:
    """What the score was, where it is the score that crossed: a crossing tells the values of whatever its threshold watches."""
    return _number(crossing.get("before")) if score is not None and crossing.get("after") == score else None


def _account(notification: Notification) -> dict[str, Any]:
    known = _mapping(notification.context.get("account"))
    return {
        **known,
        **{field: _text(known.get(field)) for field in _ACCOUNT_FIELDS},
        "name": _text(known.get("name")) or notification.account_id,
        "arr": _number(known.get("arr")),
        "renewal_date": _day(known.get("renewal_date")),
    }


def _parts(value: Any) -> list[Part]:
    """The parts that moved by something one can see, the greatest losses first."""
    told = [
        Part(each["measure"], _number(each.get("before")), _number(each.get("after")))
        for each in (value if isinstance(value, list) else [])
        if isinstance(each, Mapping) and isinstance(each.get("measure"), str)
    ]
    moved = [part for part in told if part.change is None or abs(part.change) >= _LEAST_CHANGE]
    return sorted(moved, key=lambda part: part.change or 0.0)


def _items(value: Any) -> Iterator[dict[str, Any]]:
    """The messages that a digest tells."""
    for each in value if isinstance(value, list) else []:
        if isinstance(each, Mapping):
            account, playbook = each.get("account"), _mapping(each.get("playbook"))
            named = account if isinstance(account, str) else _mapping(account).get("name")
            yield {
                "account": _text(named) or _text(each.get("account_id")),
                "score": _number(each.get("score")),
                "band": _text(each.get("band")),
                "title": _text(each.get("playbook_title")) or _text(playbook.get("title")),
                "internal": each.get("message_class") == "internal",
                "template": _text(each.get("template")),
                "notification_id": _text(each.get("notification_id")) or _text(each.get("id")),
                "requested_at": each.get("requested_at"),
            }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _day(value: Any) -> date | None:
    """The day of an ISO date or date-time."""
    try:
        return date.fromisoformat(value[:10])
    except (TypeError, ValueError):
        return None
