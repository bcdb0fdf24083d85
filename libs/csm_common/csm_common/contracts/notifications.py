"""What playbooks ask of the notifier (`notifications.requests.v1`)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

NOTIFICATION_REQUESTED = "csm.notification.requested"

ChannelName = Literal["email", "slack", "teams", "webhook"]
MessageClass = Literal["transactional", "internal", "marketing"]
IfHeld = Literal["later", "drop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom to reach, by one of: the account's `owner`, its `team`, a contact's `role`, a contact's id, an `endpoint` by the
    name an operator gave it."""

    kind: Literal["owner", "team", "role", "contact", "endpoint"]
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFact:
    """One of the facts behind a crossing, as health-score folded it."""

    id: str
    type: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPart:
    """A measure that moved with the crossing, in points of the whole score (0…100)."""

    measure: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainCrossing:
    """The crossing that began the run: what was watched, where it stood before and after, and why."""

    id: str
    threshold: str
    direction: str
    target: str
    level: float
    before: float | None
    after: float | None
    occurred_at: datetime
    cause: str
    band_before: str | None = None
    band_after: str | None = None
    scorecard: str | None = None
    scorecard_version: int | None = None
    parts: list[ChainPart] = field(default_factory=list)
    facts: list[ChainFact] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStep:
    """A step of the run that had ended before this message was asked for: how, and which way it led."""

    step: str
    kind: str
    outcome: str
    at: datetime
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Why there is this message, back to the very events: it travels along, so that no service has to ask another.

    The first six members are what it always had; `entered` says in a sentence why the run began, `steps` are those before
    this one.
    """

    run_id: str | None = None
    step: str | None = None
    playbook: str | None = None
    playbook_version: int | None = None
    crossing_id: str | None = None
    fact_ids: list[str] = field(default_factory=list)
    playbook_title: str | None = None
    run_started_at: datetime | None = None
    entered: str | None = None
    steps: list[ChainStep] = field(default_factory=list)
    crossing: ChainCrossing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequest:
    """One message to one recipient (the first of `recipients` that can be resolved).

    The request's id is the envelope's id and the idempotency key of the whole way to the person. `context` feeds the template:
    account attributes, score, band, and the crossing's parts. `chain` explains the message back to the facts. Of two messages
    that compete for a person's attention that of the higher `priority` (-1000…1000, the playbook's) goes; `if_held` says
    whether one that may not go now goes later, or not at all.
    """

    account_id: str
    run_id: str
    playbook: str
    playbook_version: int
    step: str
    channel: ChannelName
    category: str
    message_class: MessageClass
    template: str
    recipients: list[Recipient]
    requested_at: datetime
    expires_at: datetime | None = None
    context: dict[str, Any] = field(default_factory=dict)
    chain: Chain = field(default_factory=Chain)
    priority: int = 0
    if_held: IfHeld = "later"
