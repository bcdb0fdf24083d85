"""What readers of the REST interface are shown. No addresses: those are in the directory alone, so an erasure is complete."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notifier.domain.delivery import Outcome
from notifier.domain.notification import HeldBy, Kind, Status, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFilter:
    """Which notifications are wanted; None is no condition. `dead` are those that ended without their recipient."""

    account_id: str | None = None
    status: Status | None = None
    channel: str | None = None
    playbook: str | None = None
    run_id: str | None = None
    folded_into: str | None = None
    dead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSummary:
    """A notification in a list. `next_attempt_at` is set while it waits, `held_by` with held, `finished_at` once its status is
    final, `folded_into` is the digest that tells it."""

    id: str
    kind: Kind
    account_id: str
    status: Status
    reason: str | None
    held_by: HeldBy | None
    folded_into: str | None
    priority: int
    channel: str
    category: str
    template: str
    playbook: str
    playbook_version: int
    run_id: str
    step: str
    attempt_count: int
    requested_at: datetime
    expires_at: datetime | None
    next_attempt_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt; `outcome` is None while it is going on, `code` is the channel's (SMTP's)."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    code: int | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """A word of the contact policy on it: send, hold, drop, cap or suppress, by which rule, and until when."""

    at: datetime
    word: str
    rule: str
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """Who was chosen, and why; `kind` is None where nobody could be reached."""

    kind: str | None
    contact_id: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationDetail(NotificationSummary):
    """All that is known of one: whom it asked for, whom it went to, what the contact policy said, every attempt, its reasons."""

    message_class: str
    wanted: tuple[Wanted, ...]
    decision: DecisionView | None
    policy: tuple[PolicyView, ...]
    attempts: tuple[AttemptView, ...]
    chain: dict[str, Any]
