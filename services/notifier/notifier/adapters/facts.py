"""Outcomes as facts: `csm.outreach.changed` on `customer.events.v1`, through the outbox of the same transaction."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.contracts import envelope
from csm_common.contracts.facts import OutreachChanged
from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database import outbox
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from csm_common.telemetry.tracing import current_traceparent
from notifier.application.ports import Happened

SOURCE = "/csm/notifier"
OUTREACH_CHANGED = "csm.outreach.changed"


class OutboxFacts:
    """Facts in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def happened(self, happened: Sequence[Happened]) -> None:
        """One fact each: the same notification, status and number twice are one."""
        traceparent = current_traceparent()
        await outbox.add(self._tx, [outreach_message(each, traceparent) for each in happened])


def outreach_message(happened: Happened, traceparent: str | None = None) -> Message:
    """The fact; its id is derived, so telling it twice is telling it once."""
    notification = happened.notification
    number = (happened.number,) if happened.number else ()
    value = envelope.encode(
        id=derived_id("outreach", notification.id, happened.status, *number),
        source=SOURCE,
        type=OUTREACH_CHANGED,
        subject=notification.account_id,
        time=happened.at,
        data=OutreachChanged(
            id=notification.id,
            status=happened.status,
            run=notification.run_id,
            playbook=notification.playbook,
            channel=notification.channel,
            category=notification.category,
            code=happened.code,
            answer=happened.answer,
        ),
    )
    headers = {"traceparent": traceparent} if traceparent else {}
    return Message(CUSTOMER_EVENTS.name, notification.account_id.encode(), value, headers)
