"""What a chat shows of an account beside the words of a message: a few figures, where the message knows them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from notifier.application.ports import Outgoing

_LABELS = {
    "en": {"score": "Score", "band": "Band", "renewal": "Renewal", "arr": "ARR"},
    "de": {"score": "Wert", "band": "Stufe", "renewal": "Verlängerung", "arr": "ARR"},
}


def facts(message: Outgoing) -> list[tuple[str, str]]:
    """Label and value, each on one line, in the recipient's language: score, band, renewal, revenue."""
    variables = message.variables
    account = variables.get("account")
    account = account if isinstance(account, Mapping) else {}
    values = {
        "score": _score(variables.get("score")),
        "band": _words(variables.get("band")),
        "renewal": _day(account.get("renewal_date")),
        "arr": _money(account),
    }
    language = (message.begun.recipient.locale or "en")[:2].lower()
    labels = _LABELS.get(language, _LABELS["en"])
    return [(labels[key], value) for key, value in values.items() if value]


def origin(message: Outgoing) -> str:
    """Where the message comes from, for whoever looks into it: the playbook and the notification."""
    notification = message.begun.notification
    playbook = message.variables.get("playbook")
    title = playbook.get("title") if isinstance(playbook, Mapping) else None
    return f"{title or notification.playbook} · {notification.id}"


def _score(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _words(value: Any) -> str:
    return value.replace("_", " ") if isinstance(value, str) else ""


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else ""


def _money(account: Mapping[str, Any]) -> str:
    arr, currency = account.get("arr"), account.get("currency")
    return f"{arr:,.0f} {currency or ''}".strip() if isinstance(arr, int | float) else ""
