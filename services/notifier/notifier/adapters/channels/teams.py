"""The Microsoft Teams channel: an Adaptive Card to the workflow of a channel ("When a Teams webhook request is received").

A workflow answers 202 when it has taken the card, before it posts it, and knows no repeats: what may have gone out stays unsent.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from notifier.adapters.channels.facts import facts, origin
from notifier.adapters.outbound import Outbound
from notifier.application.ports import Manners, Outgoing
from notifier.domain.delivery import Answer
from notifier.domain.recipients import Reach, Recipient, no_address
from notifier.endpoint_settings import TeamsEndpoint

# A card may have 28 KB: these leave room for the longest of characters.
_TITLE, _LEAD, _POINT, _POINTS = 150, 3000, 300, 10


class TeamsChannel:
    """Implements Channel. `teams` gives the name of a team's endpoint."""

    # Teams turns away more than four a second, of all that write to the channel; one leaves room for others, and two runs of a
    # workflow at once do not keep the order.
    manners = Manners(at_once=1, every=timedelta(seconds=1), repeatable=False)

    def __init__(
        self, outbound: Outbound, endpoints: Mapping[str, TeamsEndpoint], teams: Mapping[str, str]
    ) -> None:
        self._outbound = outbound
        self._endpoints = endpoints
        self.reach = Reach(no_address, teams, frozenset(endpoints))

    def endpoint(self, recipient: Recipient) -> str:
        """Its name."""
        return recipient.address

    async def send(self, message: Outgoing) -> Answer:
        """Send to the endpoint's workflow."""
        name = message.begun.recipient.address
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return Answer("refused", f"there is no teams endpoint {name}; name it in CSM_NOTIFIER__ENDPOINTS")
        return await self._outbound.post(
            endpoint.url.get_secret_value(),
            content=json.dumps(enveloped(card(message)), ensure_ascii=False).encode(),
            headers={"content-type": "application/json"},
        )

    def abandon(self) -> None:
        """Give up on what is being sent."""
        self._outbound.abandon()


def enveloped(content: dict[str, Any]) -> dict[str, Any]:
    """The card as a workflow takes it."""
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": content}]}


def card(message: Outgoing) -> dict[str, Any]:
    """The message as an Adaptive Card. All words are text runs, which know no Markdown: a customer's name becomes no link."""
    words = message.words
    body = [_text(" ".join(words.subject.split()), _TITLE, size="large", weight="bolder")]
    body += [_text(words.lead or words.text, _LEAD)]
    body += [_pair(label, value) for label, value in facts(message)]
    body += [_text(f"• {each}", _POINT) for each in words.points[:_POINTS]]
    body += [_text(origin(message), _POINT, size="small", isSubtle=True)]
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": {"width": "Full"},
    }


def _text(text: str, limit: int, **style: Any) -> dict[str, Any]:
    kept = text if len(text) <= limit else text[: limit - 1] + "…"
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": kept, **style}]}


def _pair(label: str, value: str) -> dict[str, Any]:
    block = _text(f"{label}: ", _POINT, weight="bolder")
    block["inlines"] += _text(value, _POINT)["inlines"]
    return block
