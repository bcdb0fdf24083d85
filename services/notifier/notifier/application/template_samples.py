"""Made-up messages to try templates with: one with every field, one with none, and what somebody sends in their place."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from notifier.domain.briefing import brief
from notifier.domain.notification import Notification, Wanted

_SCORES = (71, 72, 70, 71, 68, 66, 69, 67, 63, 64, 60, 57, 55, 52, 48, 44)
_LINK = "https://example.com/sample"


def context(now: datetime) -> dict[str, Any]:
    """What a playbook's request tells where everything is known."""
    renewal = (now + timedelta(days=43)).date().isoformat()
    parts = [
        {"measure": "open_tickets", "before": 14.1, "after": 3.2},
        {"measure": "usage_trend", "before": 30.0, "after": 22.0},
        {"measure": "nps", "before": 4.0, "after": 6.0},
    ]
    account = {
        "name": "Example & Sons", "owner": "sample-owner", "team": "north", "plan": "business", "segment": "mid-market",
        "stage": "customer", "region": "eu", "arr": 48_000, "currency": "EUR", "renewal_date": renewal,
    }  # fmt: skip
    return {
        "account": account,
        "score": 44.4,
        "band": "at_risk",
        "coverage": 0.9,
        "crossing": {"before": 63.2, "after": 44.4, "band_before": "neutral", "parts": parts},
        "playbook": {"title": "A sample playbook"},
        "items": [
            _item(now, "account_critical", "Example & Sons", 21),
            _item(now, "check_in", "Sample Ltd", 62),
        ],
    }


def trend(now: datetime) -> Sequence[dict[str, Any]]:
    """A score that falls."""
    return [
        {"at": now - timedelta(days=len(_SCORES) - 1 - at), "score": score}
        for at, score in enumerate(_SCORES)
    ]


def notification(template: str, told: Mapping[str, Any], now: datetime, id: str = "sample") -> Notification:
    """A message nobody asked for."""
    return Notification(
        id=id, kind="test", account_id="sample-account", run_id="sample", playbook="sample", playbook_version=1, step="sample",
        channel="email", category="test", message_class="internal", template=template, recipients=(Wanted("owner"),),
        requested_at=now, context=told,
    )  # fmt: skip


def variables(template: str, told: Mapping[str, Any], now: datetime, *, full: bool = True) -> dict[str, Any]:
    """What a template sees of a sample; `full` with trend and links."""
    links = (_LINK, _LINK) if full else (None, None)
    return brief(notification(template, told, now), now, trend(now) if full else (), *links)


def samples(template: str, now: datetime) -> Mapping[str, Mapping[str, Any]]:
    """The two that every template is tried with when it is saved."""
    return {
        "full": variables(template, context(now), now),
        "empty": variables(template, {}, now, full=False),
    }


def _item(now: datetime, template: str, account: str, score: float) -> dict[str, Any]:
    return {
        "notification_id": f"sample-{template}", "template": template, "account": account, "message_class": "internal",
        "score": score, "band": "critical" if score < 25 else "neutral", "playbook_title": "A sample playbook",
        "requested_at": now.isoformat(),
    }  # fmt: skip
