"""A press with the shipped documents, and with a document of a test's own."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.support.clock import START
from tests.unit.notifier.builders import CONTEXT, a_notification

from notifier.adapters.templates.linting import lint
from notifier.adapters.templates.press import Press
from notifier.adapters.templates.reader import shipped
from notifier.domain.briefing import brief

SHIPPED = {each.name: each.document for each in shipped()}
TEMPLATES = sorted(name for name, each in SHIPPED.items() if each["kind"] == "template")
BRIEFS = [each for each in TEMPLATES if SHIPPED[each]["layout"] == "brief"]
LETTERS = [each for each in TEMPLATES if SHIPPED[each]["layout"] == "letter"]
PRESS = Press(SHIPPED.values())
TREND = [{"at": START - timedelta(days=9 - at), "score": 70.0 - 3 * at} for at in range(10)]
ITEMS = [
    {
        "notification_id": "n-2", "account": "Globex", "template": "account_critical", "message_class": "internal", "score": 21,
        "band": "critical", "playbook_title": "Critical", "requested_at": START.isoformat(),
    },
    {"account": "Initech", "template": "gone", "message_class": "internal", "playbook_title": "Something else"},
]  # fmt: skip
FULL = {**CONTEXT, "items": ITEMS}


def told(context: Mapping[str, Any], template: str = "account_at_risk", **changes: Any) -> dict[str, Any]:
    """The variables of a message with this context."""
    notification = a_notification(context=dict(context), template=template, **changes)
    return brief(notification, START, TREND if context else ())


def rendered(template: str, context: Mapping[str, Any], locale: str | None = "en") -> dict[str, Any]:
    """The words of a shipped template."""
    return PRESS.render(template, locale, told(context, template))


def a_document(text: str = "Hello", **members: Any) -> dict[str, Any]:
    """A template with a text of its own."""
    words = {"subject": "Hello", "text": text, **members.pop("english", {})}
    plain = {
        "kind": "template",
        "name": "mine",
        "title": "Mine",
        "default": "en",
        "layout": "none",
        "tone": "neutral",
    }
    return {**plain, "locales": {"en": words}, **members}


def tried(text: str, context: Mapping[str, Any] = CONTEXT, **members: Any) -> str:
    """What a text of a template comes out as."""
    words: str = PRESS.trial(a_document(text, **members), "en", told(context))["text"]
    return words.strip()


def linted(document: Mapping[str, Any]) -> list[str]:
    """The mistakes of a document, as sentences."""
    samples = {"full": told(FULL), "empty": told({})}
    return [each["message"] for each in lint(PRESS, document, samples)]
