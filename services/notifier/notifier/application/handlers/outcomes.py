"""Tell the rest of the product what became of messages, and learn from it whom not to write to any more."""

from collections.abc import Sequence
from datetime import datetime

from csm_common.ids import derived_id
from notifier.application.ports import Happened, Work
from notifier.domain.delivery import Verdict
from notifier.domain.notification import Notification, Status
from notifier.domain.policy import Suppression

_WORDS = {Status.SENT: "delivered"}
"""What others call our statuses, where they differ: `delivered` means that the receiving system has taken it over."""


async def tell(
    work: Work, verdicts: Sequence[tuple[Notification, Verdict, str | None]], now: datetime
) -> None:
    """One fact for each that came to a final status. An address that will never take a mail is not written to again."""
    final = [each for each in verdicts if each[1].status.final]
    if not final:
        return
    await work.facts.happened([_happened(each, verdict, now) for each, verdict, _ in final])
    bounced = [
        (each, person)
        for each, verdict, person in final
        if verdict.answer is not None and verdict.answer.bounced and person is not None
    ]
    if bounced:
        await work.suppressions.add([hard_bounce(each, person, now) for each, person in bounced])


def hard_bounce(notification: Notification, person: str, now: datetime) -> Suppression:
    """The suppression that follows from a bounced message."""
    return Suppression(
        id=derived_id("suppression", "hard_bounce", notification.id),
        person=person,
        category=None,
        reason="hard_bounce",
        since=now,
        account_id=notification.account_id,
        notification_id=notification.id,
    )


def _happened(notification: Notification, verdict: Verdict, now: datetime) -> Happened:
    answer = verdict.answer
    bounced = answer is not None and answer.bounced
    return Happened(
        notification=notification,
        status="bounced" if bounced else _WORDS.get(verdict.status, verdict.status.value),
        at=now,
        code=answer.code if answer else None,
        answer=answer.said if answer else None,
    )
