"""The facts customers' systems and people tell us: `csm.<noun>.<past participle>` and the shape of their data.

Ingest validates against these shapes; unknown fields are kept (the original bytes travel on), unknown types are custom facts.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema

Moment = Annotated[
    str, WithJsonSchema({"anyOf": [{"type": "string", "format": each} for each in ("date", "date-time")]})
]
"""A date or a date-time: `2025-03-31`, `2025-03-31T09:00:00Z`. Text, because msgspec decodes no union of the two."""


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise ValueError(sentence)


def _require_moments(**moments: str | None) -> None:
    for name, value in moments.items():
        _require(
            value is None or _is_moment(value),
            f"{name} must be a date or a date-time, such as 2025-03-31 or 2025-03-31T09:00:00Z",
        )


def _is_moment(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecorded:
    """Somebody used a feature. `quantity` counts uses, `duration_s` is in seconds."""

    feature: str
    user_id: str | None = None
    quantity: float = 1.0
    duration_s: float | None = None
    succeeded: bool | None = None

    def __post_init__(self) -> None:
        _require(bool(self.feature), "feature must not be empty")
        _require(self.quantity >= 0, "quantity must not be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketChanged:
    """A support ticket was opened or moved on; the newest event by time tells its state."""

    ticket_id: str
    status: Literal["open", "pending", "on_hold", "solved", "closed"]
    priority: Literal["low", "normal", "high", "urgent"] | None = None
    escalated: bool | None = None
    user_id: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyAnswered:
    """A survey answer on its own scale: nps 0…10, csat and ces 1…scale_max (5 and 7 unless told)."""

    kind: Literal["nps", "csat", "ces", "touchpoint"]
    score: float
    scale_max: float | None = None
    touchpoint: str | None = None
    view: Literal["customer", "expert"] | None = None
    respondent_id: str | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        low, high = (
            (0.0, 10.0) if self.kind == "nps" else (1.0, {"csat": 5.0, "ces": 7.0}.get(self.kind, 10.0))
        )
        high = self.scale_max or high
        _require(low <= self.score <= high, f"a {self.kind} score must be from {low:g} to {high:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceChanged:
    """An invoice was issued or moved on; amounts are in units of `currency`."""

    invoice_id: str
    status: Literal["open", "paid", "failed", "overdue", "void", "credited"]
    amount: float | None = None
    currency: str | None = None
    due: Moment | None = None

    def __post_init__(self) -> None:
        _require_moments(due=self.due)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChanged:
    """A subscription began, changed or was cancelled; `mrr` is per month in `currency`."""

    subscription_id: str
    status: str | None = None
    plan: str | None = None
    mrr: float | None = None
    currency: str | None = None
    seats: float | None = None
    start: Moment | None = None
    term_end: Moment | None = None
    notice_by: Moment | None = None
    auto_renew: bool | None = None
    cancelled_at: Moment | None = None

    def __post_init__(self) -> None:
        _require_moments(
            start=self.start, term_end=self.term_end, notice_by=self.notice_by, cancelled_at=self.cancelled_at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged:
    """What is known of the account itself; fields that are absent stay as they were. `arr` is per year in `currency`."""

    name: str | None = None
    plan: str | None = None
    segment: str | None = None
    stage: str | None = None
    owner: str | None = None
    team: str | None = None
    region: str | None = None
    arr: float | None = None
    currency: str | None = None
    seats: float | None = None
    renewal_date: Moment | None = None
    timezone: str | None = None
    locale: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_moments(renewal_date=self.renewal_date)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged:
    """A person at the account or of its team. Personal details are split off at the door: see contracts.contacts."""

    contact_id: str
    role: str | None = None
    active: bool | None = None
    consents: dict[str, bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalChanged:
    """A goal the customer wants to reach with the product, and how far it is."""

    goal_id: str
    title: str | None = None
    metric: str | None = None
    baseline: float | None = None
    target: float | None = None
    current: float | None = None
    due: Moment | None = None
    weight: float | None = None
    expected: float | None = None
    confirmed_by_customer: bool | None = None

    def __post_init__(self) -> None:
        _require_moments(due=self.due)


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchpointOccurred:
    """A meeting, call, training or other contact between the customer and us."""

    touchpoint: str
    channel: str | None = None
    direct: bool | None = None
    sphere: str | None = None
    purpose: str | None = None
    proactive: bool | None = None
    participants: list[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentRecorded:
    """How a CS manager feels about the account, 0…100."""

    sentiment: float
    note: str | None = None

    def __post_init__(self) -> None:
        _require(0 <= self.sentiment <= 100, "sentiment must be from 0 to 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideSet:
    """A person sets the health aside, with a reason and an end."""

    reason: str
    until: Moment
    score: float | None = None
    band: str | None = None

    def __post_init__(self) -> None:
        _require((self.score is None) != (self.band is None), "give either score or band")
        _require(self.score is None or 0 <= self.score <= 100, "score must be from 0 to 100")
        _require(bool(self.reason), "reason must not be empty")
        _require_moments(until=self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideCleared:
    """The override ends early."""

    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanged:
    """A task of a CS manager moved on; told by the playbook service.

    `status` is open, snoozed, done or cancelled; `outcome` what came of one that is done. `type` and `reason` are what an account
    has one task of at a time, `owner` is a contact id, `actor` who moved it.
    """

    id: str
    status: str
    run: str | None = None
    playbook: str | None = None
    channel: str | None = None
    category: str | None = None
    type: str | None = None
    reason: str | None = None
    owner: str | None = None
    due: Moment | None = None
    outcome: str | None = None
    actor: str | None = None

    def __post_init__(self) -> None:
        _require_moments(due=self.due)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutreachChanged:
    """A message to a person was delivered, failed, opened, answered …; told by the notifier.

    `code` is the channel's (SMTP's, HTTP's), `answer` a word of the receiver, such as `hard` of a bounce.
    """

    id: str
    status: str
    run: str | None = None
    playbook: str | None = None
    channel: str | None = None
    category: str | None = None
    code: int | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChurnRecorded:
    """The customer decided to leave, and why."""

    decided_at: Moment
    notice_at: Moment | None = None
    ends_at: Moment | None = None
    reasons: list[dict[str, Any]] | None = None
    evidence: str | None = None

    def __post_init__(self) -> None:
        _require_moments(decided_at=self.decided_at, notice_at=self.notice_at, ends_at=self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillEnded:
    """The import of an account's history is complete: one silent evaluation, and from now on crossings are announced."""

    import_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactErased:
    """Forget this person of the account: whatever is held under the id goes. The account itself stays."""

    contact_id: str
    erasure_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountErased:
    """Forget the account with all that is held of it. A later fact about the same account starts it afresh."""

    erasure_id: str | None = None


FACTS: dict[str, type] = {
    "csm.usage.recorded": UsageRecorded,
    "csm.ticket.changed": TicketChanged,
    "csm.survey.answered": SurveyAnswered,
    "csm.invoice.changed": InvoiceChanged,
    "csm.subscription.changed": SubscriptionChanged,
    "csm.account.changed": AccountChanged,
    "csm.contact.changed": ContactChanged,
    "csm.goal.changed": GoalChanged,
    "csm.touchpoint.occurred": TouchpointOccurred,
    "csm.sentiment.recorded": SentimentRecorded,
    "csm.override.set": OverrideSet,
    "csm.override.cleared": OverrideCleared,
    "csm.task.changed": TaskChanged,
    "csm.outreach.changed": OutreachChanged,
    "csm.churn.recorded": ChurnRecorded,
    "csm.backfill.ended": BackfillEnded,
}
"""Event type → the shape of its data. Any other type is accepted as a custom fact."""

CONTACT_ERASED = "csm.contact.erased"
ACCOUNT_ERASED = "csm.account.erased"

ERASURES: dict[str, type] = {CONTACT_ERASED: ContactErased, ACCOUNT_ERASED: AccountErased}
"""Told by ingest's erasure alone. Not among FACTS, so that nobody can send one as an event: erasing needs its own permission."""
