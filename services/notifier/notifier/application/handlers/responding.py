"""What people do with a message, told once each: opening it, following its links, answering it."""

from datetime import datetime

from notifier.application.ports import Happened, Work
from notifier.application.responses import Claims


async def opened(work: Work, claims: Claims, now: datetime) -> bool:
    """The picture of the mail was loaded; that may be a machine. False where it was told before, or nobody knows the message."""
    return await responded(work, claims.notification_id, "opened", now)


async def clicked(work: Work, claims: Claims, now: datetime) -> bool:
    """A link of the mail was followed, told once for each."""
    return await responded(work, claims.notification_id, "clicked", now, claims.number)


async def responded(work: Work, notification_id: str, status: str, now: datetime, number: int = 0) -> bool:
    """Tell of it, unless it was told before or nobody knows the message."""
    found = await work.notifications.find(notification_id)
    if found is None or not await work.responses.first(notification_id, status, number, now):
        return False
    await tell_of(work, Happened(notification=found[0], status=status, at=now, number=number))
    return True


async def tell_of(work: Work, happened: Happened) -> None:
    """Tell the product, unless the account was erased since: mails are answered for years, and a fact would bring it to life."""
    notification = happened.notification
    erased_at = (await work.erasures.erased_at([notification.account_id])).get(notification.account_id)
    if erased_at is None or notification.requested_at > erased_at:
        await work.facts.happened([happened])
