"""The webhook channel: a message as signed JSON to a program, which knows repeats by their `webhook-id`."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass, replace
from datetime import date
from typing import Any

from notifier.adapters.mail import one_line
from notifier.adapters.outbound import Outbound
from notifier.adapters.signing import signed
from notifier.application.ports import Manners, Outgoing
from notifier.domain.delivery import Answer
from notifier.domain.recipients import Reach, Recipient, no_address
from notifier.endpoint_settings import WebhookEndpoint

_LONGEST_SAID = 200


class WebhookChannel:
    """Implements Channel. `teams` gives the name of a team's endpoint."""

    manners = Manners(at_once=4)

    def __init__(
        self, outbound: Outbound, endpoints: Mapping[str, WebhookEndpoint], teams: Mapping[str, str]
    ) -> None:
        self._outbound = outbound
        self._endpoints = endpoints
        self.reach = Reach(no_address, teams, frozenset(endpoints))

    def endpoint(self, recipient: Recipient) -> str:
        """Its name."""
        return recipient.address

    async def send(self, message: Outgoing) -> Answer:
        """Send; where the receiver answers with JSON, its `outcome` is told on."""
        name = message.begun.recipient.address
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return Answer(
                "refused", f"there is no webhook endpoint {name}; name it in CSM_NOTIFIER__ENDPOINTS"
            )
        content = json.dumps(body(message), ensure_ascii=False, allow_nan=False).encode(errors="replace")
        secrets = [each.get_secret_value() for each in endpoint.secrets]
        reply = await self._outbound.exchange(
            endpoint.url.get_secret_value(),
            content=content,
            headers={
                "content-type": "application/json",
                **signed(secrets, message.begun.notification.id, message.now, content),
            },
        )
        return replace(reply.answer, said=word_of(reply.body))

    def abandon(self) -> None:
        """Give up on what is being sent."""
        self._outbound.abandon()


def body(message: Outgoing) -> dict[str, Any]:
    """What a receiver gets; docs/channels.md describes it."""
    notification, words = message.begun.notification, message.words
    return {
        "type": "csm.notification",
        "id": notification.id,
        "account_id": notification.account_id,
        "category": notification.category,
        "message_class": notification.message_class,
        "playbook": notification.playbook,
        "template": notification.template,
        "subject": words.subject,
        "text": words.text,
        "lead": words.lead,
        "points": list(words.points),
        "context": _plain(message.variables),
        "chain": _plain(notification.chain),
        "sent_at": message.now.isoformat(),
    }


def _plain(value: Any) -> Any:
    """The value in JSON's own terms; what has none there is None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return _plain(asdict(value)) if is_dataclass(value) and not isinstance(value, type) else None


def word_of(answered: bytes | None) -> str | None:
    """The member `outcome` of a JSON answer, as one short line."""
    try:
        told = json.loads(answered or b"")
    except (ValueError, RecursionError):
        return None
    outcome = told.get("outcome") if isinstance(told, dict) else None
    if not isinstance(outcome, str):
        return None
    return one_line(outcome.encode(errors="replace").decode())[:_LONGEST_SAID] or None
