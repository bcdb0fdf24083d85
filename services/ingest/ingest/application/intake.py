"""Taking messages in: understood, attributed to an account, and durable before anybody is told so.

Each message ends in one of four ways. Its facts are on the log; or they were before; or they wait in the table of rejections
for their account; or it is kept there with the reason why it is not taken. Attribution, waiting and rejecting are one
transaction. Nothing is promised before the brokers have acknowledged as well: a request that is sent again finds what was
decided, and ends in the same facts under the same ids.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from csm_common.clock import Clock
from ingest.application.incoming import Received
from ingest.application.outcome import Outcome
from ingest.application.ports import Publisher, Store
from ingest.application.publishing import publish
from ingest.application.recent import Recent
from ingest.application.settlement import MergingError, Read, Settled, Settlement
from ingest.application.tallying import Tallying
from ingest.application.understanding import Understanding


class Intake:
    """The use case behind the SDKs' routes and the webhooks. `on_commit` wakes the outbox's relay."""

    def __init__(
        self,
        understanding: Understanding,
        settlement: Settlement,
        store: Store,
        publisher: Publisher,
        recent: Recent,
        tallying: Tallying,
        clock: Clock,
        on_commit: Callable[[], None],
    ) -> None:
        self._understanding = understanding
        self._settlement = settlement
        self._store = store
        self._publisher = publisher
        self._recent = recent
        self._tallying = tallying
        self._clock = clock
        self._on_commit = on_commit

    async def take(self, received: Sequence[Received]) -> list[Outcome]:
        """What became of each message, in their order. TransientError when nothing is promised of any."""
        now = self._clock.now()
        messages = [self._understanding.read(each, now) for each in received]
        settled = await self._settle(messages, now)
        facts = [fact for each in settled for fact in each.facts]
        await publish(self._publisher, [fact.message for fact in facts])
        for fact in facts:
            self._recent.remember(fact.source, fact.id, fact.digest)
        self._tallying.messages(messages, settled, now)
        return [each.outcome for each in settled]

    async def _settle(self, messages: Sequence[Read], now: datetime) -> list[Settled]:
        settled = self._settlement.plain(messages, now)
        if settled is None:
            return await self._attribute(messages, now)
        if any(each.needs_work for each in settled):
            async with self._store.begin() as work:
                await self._settlement.keep(work, settled)
            self._on_commit()
        return settled

    async def _attribute(self, messages: Sequence[Read], now: datetime) -> list[Settled]:
        try:
            settled = await self._attempt(messages, now, merging=False)
        except MergingError:
            settled = await self._attempt(messages, now, merging=True)
        self._on_commit()
        return settled

    async def _attempt(self, messages: Sequence[Read], now: datetime, *, merging: bool) -> list[Settled]:
        async with self._store.begin() as work:
            settled = await self._settlement.attributed(work, messages, now, merging=merging)
            await self._settlement.keep(work, settled)
        return settled
