"""What a template gets to see: the request's context with every expected field present, so that templates can be strict.

A field that is missing or of the wrong kind reads as None or an empty list: a strange context yields a plainer message, not none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from notifier.domain.notification import Notification

_ACCOUNT_FIELDS = ("plan", "segment", "stage", "owner", "team", "region", "currency")
_LEAST_CHANGE = 0.5  # less is shown as no change at all


@dataclass(frozen=True, slots=True)
class Part:
    """A measure that moved, in points of the whole score."""

    measure: str
    before: float | None
    after: float | None

    @property
    def change(self) -> float | None:
        """How many points the score gained by it; None where one side is unknown."""
        return None if self.before is None or self.after is None else self.after - self.before


def brief(notification: Notification, now: datetime) -> dict[str, Any]:
    """The template's variables: all of the context's own, and over them those every template may count on."""
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
        "renewal_in_days": (account["renewal_date"] - now.date()).days if account["renewal_date"] else None,
        "playbook": {"name": notification.playbook, "title": _text(playbook.get("title"))},
        "notification_id": notification.id,
        "requested_at": notification.requested_at,
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
