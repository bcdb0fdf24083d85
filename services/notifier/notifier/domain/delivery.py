"""What becomes of a message: the channel's answer and the clock decide on its next state. Only the code tells a permanent refusal
from a passing one; the channel reads it, here are its consequences."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from notifier.domain.notification import HeldBy, Notification, Status
from notifier.domain.recipients import Decision
from notifier.domain.retries import RetrySchedule

Outcome = Literal["accepted", "deferred", "refused", "unknown"]
"""Of one attempt: taken over by the channel · not now · never · it may have gone out, nobody can tell."""

_LOOK_AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """How the channel answered: `code` is its own (SMTP's, HTTP's), None where there was no answer. `detail` has no address
    in it.

    `fault` says that the endpoint as a whole is out of order, not this one message; `retry_after` is the pause it asked for;
    `bounced` that the address will never take a mail; `gone` that the endpoint wants no more messages at all; `said` a word of
    the receiver that is worth telling others.
    """

    outcome: Outcome
    detail: str
    code: int | None = None
    fault: bool = False
    retry_after: timedelta | None = None
    bounced: bool = False
    gone: bool = False
    said: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a message. `reason` explains the status, `answer` is there after an attempt; `wake_at` with retry and
    held."""

    status: Status
    reason: str | None = None
    wake_at: datetime | None = None
    held_by: HeldBy | None = None
    answer: Answer | None = None


def too_late(notification: Notification, tries: int, now: datetime, retries: RetrySchedule) -> Verdict | None:
    """The verdict where it is too late to send; None where one more try after `tries` may go ahead."""
    if notification.expires_at is not None and now >= notification.expires_at:
        return Verdict(status=Status.EXPIRED, reason="the request expired before it could be sent")
    if tries >= retries.attempts:
        told = f"all {retries.attempts} attempts are used up, and it is unknown how the last one ended"
        return Verdict(status=Status.FAILED, reason=told)
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
    return held(notification, "contact", look_again, f"{wanted.why}; held, as the contact may be on its way")


def held(notification: Notification, held_by: HeldBy, until: datetime, reason: str) -> Verdict:
    """The verdict that the message goes later, or the one that it does not: where it expires before that, or wants no delay."""
    if notification.expires_at is not None and until >= notification.expires_at:
        return Verdict(status=Status.EXPIRED, reason=f"it would go only after its expiry: {reason}")
    return Verdict(status=Status.HELD, reason=reason, wake_at=until, held_by=held_by)


class Expires(Protocol):
    """Whatever is not to be sent after some time."""

    @property
    def expires_at(self) -> datetime | None:
        """When that is."""
        ...


def after_answer(
    answer: Answer,
    notification: Expires,
    tries: int,
    now: datetime,
    retries: RetrySchedule,
    chance: float,
    *,
    repeatable: bool = True,
) -> Verdict:
    """The verdict on the answer to try number `tries`. `chance` (0…1) spreads the retries; `repeatable` says whether the
    receiver knows a repeat when it sees one, so that a message that may have gone out can be sent again."""

    def verdict(status: Status, reason: str | None, wake_at: datetime | None = None) -> Verdict:
        return Verdict(status=status, reason=reason, wake_at=wake_at, answer=answer)

    if answer.outcome == "accepted":
        return verdict(Status.SENT, None)
    if answer.outcome == "refused":
        return verdict(Status.FAILED, f"refused for good: {answer.detail}")
    if answer.outcome == "unknown" and not repeatable:
        return verdict(Status.UNKNOWN, f"it may have gone out, and is not repeated: {answer.detail}")
    pause = retries.pause_after(tries, chance, answer.retry_after)
    if pause is None:
        return verdict(Status.FAILED, f"given up after {tries} attempts: {answer.detail}")
    if notification.expires_at is not None and now + pause >= notification.expires_at:
        return verdict(Status.EXPIRED, f"the next attempt would come after the expiry: {answer.detail}")
    return verdict(Status.RETRY, answer.detail, now + pause)
