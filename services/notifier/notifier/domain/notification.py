"""One message to one person: what a playbook asked for, and the states it goes through until its outcome is final."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal


class Status(StrEnum):
    """pending → sending → sent, or retry → sending …, or one of the final failures; cancelled when an erasure ends it."""

    PENDING = "pending"
    SENDING = "sending"
    RETRY = "retry"
    SENT = "sent"
    FAILED = "failed"
    UNDELIVERABLE = "undeliverable"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (Status.PENDING, Status.SENDING, Status.RETRY)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to reach: the account's `owner`, somebody with the role `value`, or the contact with the id `value`."""

    kind: Literal["owner", "role", "contact"]
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What was asked for; `id` is the request's and the idempotency key of the whole way to the person.

    `context` feeds the template, `chain` carries the ids that explain the message, `traceparent` continues the trace.
    """

    id: str
    account_id: str
    run_id: str
    playbook: str
    playbook_version: int
    step: str
    channel: str
    category: str
    message_class: Literal["transactional", "internal", "marketing"]
    template: str
    recipients: tuple[Wanted, ...]
    requested_at: datetime
    expires_at: datetime | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    chain: Mapping[str, Any] = field(default_factory=dict)
    traceparent: str | None = None
