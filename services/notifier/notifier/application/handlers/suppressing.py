"""What a person said no to, and what they want to hear of again: in force with the commit, and told as a fact."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from csm_common.clock import Clock
from csm_common.ids import derived_id
from notifier.application.handlers.responding import tell_of
from notifier.application.ports import Happened, OpenWork, Work
from notifier.application.responses import Claims
from notifier.domain.notification import Notification
from notifier.domain.policy import Suppression

_LOOK_AGAIN_S = 0.05
EVERYTHING = "everything"
"""The fact's word where a person wants nothing at all."""


async def unsubscribe(work: Work, claims: Claims, now: datetime) -> None:
    """No more of the message's category."""
    await choose(work, claims, {claims.category: False}, now)


async def choose(work: Work, claims: Claims, wanted: Mapping[str | None, bool], now: datetime) -> None:
    """Carry out what the person wants, by category; None is everything. What is so already changes nothing and is not told.

    The person's lock is held until the commit: whoever is deciding about a message to them right now has decided before that, so
    that `obeyed` sees their attempt, or decides after it and sees what was wanted.
    """
    if claims.person is None:
        return
    await work.history.lock([claims.person], ())
    refused = {
        each.category for each in await suppressed(work, claims.person) if each.reason == "unsubscribed"
    }
    found = await work.notifications.find(claims.notification_id)
    for category, wants in wanted.items():
        if wants is (category not in refused):
            continue
        if wants:
            await work.suppressions.lift(claims.person, category, now)
        else:
            await work.suppressions.add([_refusal(claims, claims.person, category, now)])
        if found is not None:
            await _tell(work, found[0], "resubscribed" if wants else "unsubscribed", category, now)


async def suppressed(work: Work, person: str) -> tuple[Suppression, ...]:
    """What is in force for one person."""
    return tuple((await work.suppressions.of([person])).get(person, ()))


async def obeyed(open_work: OpenWork, person: str, clock: Clock, patience: timedelta) -> bool:
    """Wait, after the commit, until nothing that began before is on its way to the person; False where it still is in the end.

    Nothing is cancelled: a message in hand is seconds from its end, and a mail server may have taken it over already.
    """
    since = clock.now()
    last = asyncio.get_running_loop().time() + patience.total_seconds()
    while True:
        async with open_work() as work:
            if not await work.notifications.in_hand([person], since):
                return True
        if asyncio.get_running_loop().time() >= last:
            return False
        await asyncio.sleep(_LOOK_AGAIN_S)


def _refusal(claims: Claims, person: str, category: str | None, now: datetime) -> Suppression:
    cause = (person, category or EVERYTHING, claims.notification_id, now.isoformat())
    return Suppression(
        id=derived_id("suppression", "unsubscribed", *cause),
        person=person,
        category=category,
        reason="unsubscribed",
        since=now,
        account_id=claims.account_id,
        contact_id=claims.contact_id,
        notification_id=claims.notification_id,
    )


async def _tell(
    work: Work, notification: Notification, status: str, category: str | None, now: datetime
) -> None:
    number = await work.responses.another(notification.id, status, now)
    answer = category or EVERYTHING
    told = Happened(notification=notification, status=status, at=now, answer=answer, number=number)
    await tell_of(work, told)
