"""What becomes of an attempt: the channel's answer and the clock decide on the next state. Only the code tells a permanent
refusal from a passing one; the channel reads it, here are its consequences."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from notifier.domain.notification import Notification, Status
from notifier.domain.recipients import Decision
from notifier.domain.retries import RetrySchedule

Outcome = Literal["accepted", "deferred", "refused", "skipped", "held", "unknown"]
"""Of one attempt: taken over by the channel · not now · never · nothing was sent · not yet, for the contact may be on its way ·
the sender died before it could tell."""

_LOOK_AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """How the channel answered: `code` is its own (SMTP's), None where there was no answer. `detail` has no address in it."""

    outcome: Literal["accepted", "deferred", "refused"]
    detail: str
    code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one attempt led to. `reason` explains the status, `detail` and `code` the attempt; `wake_at` only with retry."""

    status: Status
    outcome: Outcome
    reason: str | None = None
    detail: str | None = None
    code: int | None = None
    wake_at: datetime | None = None


def before_sending(
    notification: Notification, attempt: int, now: datetime, retries: RetrySchedule
) -> Verdict | None:
    """The verdict where it is too late to send; None where attempt number `attempt`, holds not counted, may go ahead."""
    if notification.expires_at is not None and now >= notification.expires_at:
        return nothing_sent(Status.EXPIRED, "the request expired before it could be sent")
    if attempt > retries.attempts:
        return nothing_sent(
            Status.FAILED,
            f"all {retries.attempts} attempts are used up, and it is unknown how the last one ended",
        )
    return None


def while_unknown(
    wanted: Decision, notification: Notification, received_at: datetime, now: datetime, grace: timedelta
) -> Verdict | None:
    """The verdict that holds a message nobody wanted is known for; None where it has its recipient, or was held long enough.

    Contacts and requests are two topics: within `grace` of the request's receipt its contact may be on its way. No message is
    held beyond its expiry, since somebody else may still be reached before that.
    """
    look_again = min(now + _LOOK_AGAIN, received_at + grace)
    expired = notification.expires_at is not None and look_again >= notification.expires_at
    if wanted.recipient is not None or look_again <= now or expired:
        return None
    reason = f"{wanted.why}; held, as the contact may be on its way"
    return Verdict(status=Status.RETRY, outcome="held", reason=reason, detail=wanted.why, wake_at=look_again)


def nothing_sent(status: Status, reason: str) -> Verdict:
    """A final verdict without any message."""
    return Verdict(status=status, outcome="skipped", reason=reason)


def after_answer(
    answer: Answer,
    notification: Notification,
    attempt: int,
    now: datetime,
    retries: RetrySchedule,
    chance: float,
) -> Verdict:
    """The verdict on an answer. `chance` (0…1) spreads the retries."""

    def verdict(status: Status, reason: str | None, wake_at: datetime | None = None) -> Verdict:
        return Verdict(
            status=status,
            outcome=answer.outcome,
            reason=reason,
            detail=answer.detail,
            code=answer.code,
            wake_at=wake_at,
        )

    if answer.outcome == "accepted":
        return verdict(Status.SENT, None)
    if answer.outcome == "refused":
        return verdict(Status.FAILED, f"refused for good: {answer.detail}")
    pause = retries.pause_after(attempt, chance)
    if pause is None:
        return verdict(Status.FAILED, f"given up after {attempt} attempts: {answer.detail}")
    if notification.expires_at is not None and now + pause >= notification.expires_at:
        return verdict(Status.EXPIRED, f"the next attempt would come after the expiry: {answer.detail}")
    return verdict(Status.RETRY, answer.detail, now + pause)
