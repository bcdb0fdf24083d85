"""The dead letters of `customer.events.v1`: facts that no reader could use are listed with what never got onto the log.

Such as an event whose id is known with another content, in a replica that has not seen the first.
"""

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.clock import Clock
from csm_common.contracts.topics import CUSTOMER_EVENTS_DEAD_LETTERS, Topic
from csm_common.kafka.record import Outcome, Record, WithoutTimers
from ingest.application.dead_letters import rejection_of_letter
from ingest.application.ports import Work

WorkIn = Callable[[AsyncConnection], Work]


class DeadLettersConsumer(WithoutTimers):
    """`customer.events.v1.dlq` → rejections."""

    name = "ingest-dead-letters"
    topics: tuple[Topic, ...] = (CUSTOMER_EVENTS_DEAD_LETTERS,)

    def __init__(self, work_in: WorkIn, clock: Clock) -> None:
        self._work_in = work_in
        self._clock = clock

    async def handle(self, tx: AsyncConnection, records: Sequence[Record]) -> Outcome:
        """Take a batch in."""
        now = self._clock.now()
        rejections = [
            rejection_of_letter(record.value or b"", _texts(record.headers), now) for record in records
        ]
        await self._work_in(tx).rejections.add(rejections)
        return Outcome()


def _texts(headers: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in headers}
