"""One message to one person: what a playbook asked for, and the states it goes through until its outcome is final."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal


class Status(StrEnum):
    """pending → sending → sent, with retry and held on the way; or one of the other final ones.

    `suppressed`, `capped` and `dropped` are the contact policy's word that nothing is sent; `folded` messages are told in a
    digest; `unknown` is a message that may have gone out and is not repeated, because its channel could not tell a repeat.
    """

    PENDING = "pending"
    HELD = "held"
    SENDING = "sending"
    RETRY = "retry"
    SENT = "sent"
    FAILED = "failed"
    UNDELIVERABLE = "undeliverable"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    CAPPED = "capped"
    DROPPED = "dropped"
    FOLDED = "folded"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self not in (Status.PENDING, Status.HELD, Status.SENDING, Status.RETRY)

    @property
    def dead(self) -> bool:
        """Whether it ended without its recipient for want of delivery, so that a person may want to try it again."""
        return self in (Status.FAILED, Status.UNDELIVERABLE, Status.UNKNOWN)


HeldBy = Literal["contact", "quiet_hours", "cap", "digest", "endpoint"]
"""What a held message waits for: its contact to become known, the end of quiet hours, room under a cap, its digest, an
endpoint that is out of order or asked for a pause."""

Kind = Literal["outreach", "digest", "test"]
"""A playbook's request, several of those told at once, or somebody's trial of a template."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to reach: the account's `owner` or `team`, somebody with the role `value`, the contact with the id `value`, or the
    endpoint that an operator named `value`."""

    kind: Literal["owner", "team", "role", "contact", "endpoint"]
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What was asked for; `id` is the request's and the idempotency key of the whole way to the person.

    `context` feeds the template, `chain` explains the message (contracts.notifications.Chain as plain data), `traceparent`
    continues the trace.
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
    kind: Kind = "outreach"
    priority: int = 0
    if_held: Literal["later", "drop"] = "later"
    expires_at: datetime | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    chain: Mapping[str, Any] = field(default_factory=dict)
    traceparent: str | None = None
