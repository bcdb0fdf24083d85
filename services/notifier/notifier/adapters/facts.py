"""Outcomes as facts: `csm.outreach.changed` on `customer.events.v1`, through the outbox of the same transaction."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.contracts import envelope
from csm_common.contracts.facts import OutreachChanged
from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database import outbox
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from csm_common.telemetry.tracing import current_traceparent
from notifier.domain.notification import Notification, Status

SOURCE = "/csm/notifier"
OUTREACH_CHANGED = "csm.outreach.changed"

_WORDS = {Status.SENT: "delivered"}
"""What others call our statuses, where they differ: `delivered` means that the receiving mail system has taken it over."""


class OutboxFacts:
    """Facts in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def outreach_changed(self, notification: Notification, status: Status, now: datetime) -> None:
        """A notification has come to its final status."""
        await outbox.add(self._tx, [outreach_message(notification, status, now, current_traceparent())])


def outreach_message(
    notification: Notification, status: Status, now: datetime, traceparent: str | None = None
) -> Message:
    """The fact; its id is derived, so telling it twice is telling it once."""
    word = _WORDS.get(status, status.value)
    value = envelope.encode(
        id=derived_id("outreach", notification.id, word),
        source=SOURCE,
        type=OUTREACH_CHANGED,
        subject=notification.account_id,
        time=now,
        data=OutreachChanged(
            id=notification.id,
            status=word,
            run=notification.run_id,
            playbook=notification.playbook,
            channel=notification.channel,
            category=notification.category,
        ),
    )
    headers = {"traceparent": traceparent} if traceparent else {}
    return Message(CUSTOMER_EVENTS.name, notification.account_id.encode(), value, headers)
