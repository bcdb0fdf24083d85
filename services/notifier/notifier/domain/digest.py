"""Several messages told at once: when a person's digest is due, and what stands in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from notifier.domain.local_times import ANY_DAY, WorkingDays, instants
from notifier.domain.notification import Notification, Wanted
from notifier.domain.recipients import Recipient

DIGEST: Final = "digest"
"""The kind, the template and, where its items are of several, the category of a digest."""

_DAY = timedelta(days=1)
_LONGEST_REST = 400
_STRICTEST_FIRST = ("marketing", "internal", "transactional")


@dataclass(frozen=True, slots=True)
class DigestTime:
    """Once a day, `at` a local time: the first of two where clocks show it twice; `zone` None is the person's."""

    at: time
    days: WorkingDays = ANY_DAY
    zone: ZoneInfo | None = None

    def next_after(self, moment: datetime, persons: ZoneInfo) -> datetime:
        """The next one after that moment, in UTC. ValueError where no day of a year works."""
        zone = self.zone or persons
        local = datetime.combine(moment.astimezone(zone).date() - _DAY, self.at)
        for days in range(_LONGEST_REST):
            instant, _ = instants(local + days * _DAY, zone)
            if instant > moment and self.days.works(instant.astimezone(zone).date()):
                return instant
        raise ValueError("the contact policy leaves no day of a year for a digest")


def digest_of(id: str, items: Sequence[Notification], recipient: Recipient, now: datetime) -> Notification:
    """One message that tells all the items, which are for one person on one channel: most urgent first.

    It goes by its most urgent item for its account, its priority and its run, by the strictest for its class.
    """
    ordered = sorted(items, key=lambda each: (-each.priority, each.requested_at, each.id))
    first = ordered[0]
    categories = {each.category for each in items}
    contact = recipient.contact_id if recipient.kind == "contact" else None
    return replace(
        first,
        id=id,
        kind=DIGEST,
        template=DIGEST,
        category=first.category if len(categories) == 1 else DIGEST,
        message_class=min((each.message_class for each in items), key=_STRICTEST_FIRST.index),
        recipients=first.recipients if contact is None else (Wanted("contact", contact),),
        requested_at=now,
        if_held="later",
        expires_at=None,
        context={
            "account": _plain(first.context.get("account")),
            "items": [item(each) for each in ordered],
        },
    )


def with_more(digest: Notification, items: Sequence[Notification]) -> Notification:
    """The digest with some more at its end."""
    told = [*digest.context["items"], *map(item, items)]
    categories = {each["category"] for each in told}
    classes = {each["message_class"] for each in told}
    return replace(
        digest,
        priority=max([digest.priority, *(each.priority for each in items)]),
        category=digest.category if len(categories) == 1 else DIGEST,
        message_class=min(classes, key=_STRICTEST_FIRST.index),
        context={**digest.context, "items": told},
    )


def item(notification: Notification) -> dict[str, Any]:
    """What a digest tells of one of its messages, as plain data."""
    context = notification.context
    account, playbook = _plain(context.get("account")), _plain(context.get("playbook"))
    return {
        "notification_id": notification.id,
        "account_id": notification.account_id,
        "account": account.get("name") or notification.account_id,
        "template": notification.template,
        "category": notification.category,
        "message_class": notification.message_class,
        "priority": notification.priority,
        "playbook": notification.playbook,
        "playbook_title": playbook.get("title") or notification.playbook,
        "run_id": notification.run_id,
        "score": context.get("score"),
        "band": context.get("band"),
        "requested_at": notification.requested_at.isoformat(),
    }


def _plain(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
