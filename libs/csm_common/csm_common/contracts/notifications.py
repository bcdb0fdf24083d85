"""What playbooks ask of the notifier (`notifications.requests.v1`)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

NOTIFICATION_REQUESTED = "csm.notification.requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom to reach, by one of: the account's `owner`, a contact's `role`, a contact's id."""

    kind: Literal["owner", "role", "contact"]
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequest:
    """One message to one recipient (the first of `recipients` that can be resolved).

    The request's id is the envelope's id and the idempotency key of the whole way to the person. `context` feeds the template:
    account attributes, score, band, and the crossing's parts. `chain` carries the ids that explain the message:
    run, step, crossing, facts; so no service has to ask another.
    """

    account_id: str
    run_id: str
    playbook: str
    playbook_version: int
    step: str
    channel: Literal["email"]
    category: str
    message_class: Literal["transactional", "internal", "marketing"]
    template: str
    recipients: list[Recipient]
    requested_at: datetime
    expires_at: datetime | None = None
    context: dict[str, Any] = field(default_factory=dict)
    chain: dict[str, Any] = field(default_factory=dict)
