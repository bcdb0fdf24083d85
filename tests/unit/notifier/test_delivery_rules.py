"""What becomes of an attempt."""

from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.notifier.builders import RECIPIENT, RETRIES, a_notification

from notifier.domain.delivery import Answer, Verdict, after_answer, held, too_late, while_unknown
from notifier.domain.notification import Notification, Status
from notifier.domain.recipients import Decision

ACCEPTED = Answer("accepted", "Kept", 250)
DEFERRED = Answer("deferred", "451 try again", 451)
REFUSED = Answer("refused", "550 no such user", 550)
NOBODY = Decision(None, "owner: nobody")
GRACE = timedelta(seconds=10)
EXPIRING = a_notification(expires_at=START + timedelta(seconds=20))


OPEN = ("pending", "held", "sending", "retry")


@pytest.mark.parametrize("status", list(Status))
def test_the_final_statuses(status: Status) -> None:
    assert status.final == (status.value not in OPEN)
    assert status.final or not status.dead


def test_a_try_may_go_ahead_until_they_are_used_up() -> None:
    assert [too_late(a_notification(), tries, START, RETRIES) for tries in (0, 3)] == [None, None]
    verdict = too_late(a_notification(), 4, START, RETRIES)
    assert verdict is not None
    assert (verdict.status, verdict.answer) == (Status.FAILED, None)
    assert verdict.reason == "all 4 attempts are used up, and it is unknown how the last one ended"


@pytest.mark.parametrize(("seconds", "expired"), [(19.999, False), (20, True), (3600, True)])
def test_nothing_is_sent_after_the_expiry(seconds: float, expired: bool) -> None:
    verdict = too_late(EXPIRING, 0, START + timedelta(seconds=seconds), RETRIES)
    assert (verdict is not None) == expired
    if verdict is not None:
        assert verdict.status is Status.EXPIRED


def test_what_would_be_held_into_its_expiry_has_expired() -> None:
    soon, late = START + timedelta(seconds=19), START + timedelta(seconds=20)
    assert held(EXPIRING, "cap", soon, "enough") == Verdict(
        status=Status.HELD, reason="enough", wake_at=soon, held_by="cap"
    )
    assert held(EXPIRING, "cap", late, "enough").status is Status.EXPIRED


@pytest.mark.parametrize(("seconds", "looked_again"), [(0.0, 1.0), (8.5, 9.5), (9.5, 10.0), (9.999, 10.0)])
def test_where_nobody_is_known_yet_it_is_looked_again_a_second_later_and_at_the_end_of_the_grace(
    seconds: float, looked_again: float
) -> None:
    assert held_at(seconds) == Verdict(
        status=Status.HELD,
        reason="owner: nobody; held, as the contact may be on its way",
        held_by="contact",
        wake_at=START + timedelta(seconds=looked_again),
    )


def test_who_is_known_waits_for_nothing() -> None:
    assert held_at(0.0, Decision(RECIPIENT, "owner: kim")) is None


@pytest.mark.parametrize("seconds", [10.0, 3600.0])
def test_after_the_grace_nothing_is_held(seconds: float) -> None:
    assert held_at(seconds) is None


def test_without_a_grace_nothing_is_held() -> None:
    assert while_unknown(NOBODY, a_notification(), START, START, timedelta(0)) is None


@pytest.mark.parametrize(("expires_s", "held"), [(1.0, False), (1.001, True), (60.0, True)])
def test_nothing_is_held_until_it_expires(expires_s: float, held: bool) -> None:
    expiring = a_notification(expires_at=START + timedelta(seconds=expires_s))
    assert (held_at(0.0, notification=expiring) is not None) == held


def held_at(
    seconds: float, wanted: Decision = NOBODY, notification: Notification | None = None
) -> Verdict | None:
    now = START + timedelta(seconds=seconds)
    return while_unknown(wanted, notification or a_notification(), START, now, GRACE)


def after(
    answer: Answer, attempt: int, notification: Notification | None = None
) -> tuple[Status, str | None]:
    verdict = after_answer(answer, notification or a_notification(), attempt, START, RETRIES, 0.0)
    assert verdict.answer is answer
    assert (verdict.wake_at is not None) == (verdict.status is Status.RETRY)
    return verdict.status, verdict.reason


def test_what_is_accepted_is_sent() -> None:
    assert after(ACCEPTED, 1) == (Status.SENT, None)
    assert after(ACCEPTED, 4, EXPIRING) == (Status.SENT, None)


def test_what_is_refused_has_failed_at_once() -> None:
    assert after(REFUSED, 1) == (Status.FAILED, "refused for good: 550 no such user")


def test_what_is_deferred_is_tried_again_at_its_time() -> None:
    assert after(DEFERRED, 1) == (Status.RETRY, "451 try again")
    verdict = after_answer(DEFERRED, a_notification(), 2, START, RETRIES, 0.5)
    assert verdict.wake_at == START + timedelta(seconds=33)


def test_after_the_last_attempt_it_has_failed() -> None:
    assert after(DEFERRED, 3)[0] is Status.RETRY
    assert after(DEFERRED, 4) == (Status.FAILED, "given up after 4 attempts: 451 try again")


def test_a_retry_that_would_come_too_late_is_not_waited_for() -> None:
    assert after(DEFERRED, 1, EXPIRING)[0] is Status.RETRY
    assert after(DEFERRED, 2, EXPIRING) == (
        Status.EXPIRED,
        "the next attempt would come after the expiry: 451 try again",
    )


UNKNOWN = Answer("unknown", "the connection was lost", fault=True)


def test_what_may_have_gone_out_is_repeated_where_the_receiver_knows_a_repeat() -> None:
    assert after(UNKNOWN, 1)[0] is Status.RETRY
    verdict = after_answer(UNKNOWN, a_notification(), 1, START, RETRIES, 0.0, repeatable=False)
    assert (verdict.status, verdict.wake_at) == (Status.UNKNOWN, None)


@pytest.mark.parametrize(("asked_s", "pause_s"), [(1.0, 5.0), (60.0, 60.0), (1e6, 3600.0), (-5.0, 5.0)])
def test_a_receiver_that_asks_for_patience_has_it_within_bounds(asked_s: float, pause_s: float) -> None:
    asked = Answer("deferred", "429", 429, retry_after=timedelta(seconds=asked_s))
    verdict = after_answer(asked, a_notification(), 1, START, RETRIES, 0.0)
    assert verdict.wake_at == START + timedelta(seconds=pause_s)
