"""Which partitions are this process's own, and where it stands in each: claimed in PostgreSQL whenever Kafka assigns them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.database import positions
from csm_common.database.positions import Claim, LogStart, Partition
from csm_common.errors import FatalError
from csm_common.kafka.admin import TopicAdmin
from csm_common.kafka.record import BatchHandler
from csm_common.settings import KafkaSettings
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_HAND_OVER_PATIENCE_S = 20.0


class Ownership:
    """Claims, offsets and the gap rule of one consumer.

    `assignment` counts assignments: what was fetched under another number is dropped. `open` is False while none is valid.
    """

    def __init__(
        self,
        client: AIOKafkaConsumer,
        engine: AsyncEngine,
        settings: KafkaSettings,
        handler: BatchHandler,
        owner: str,
    ) -> None:
        self.assignment = 0
        self.open = False
        self.claims: dict[Partition, Claim] = {}
        self.next_offsets: dict[Partition, int] = {}
        self.failure: BaseException | None = None
        self.idle = asyncio.Event()  # cleared while a batch is in flight
        self.idle.set()
        self._client = client
        self._engine = engine
        self._settings = settings
        self._admin = TopicAdmin(settings)
        self._handler = handler
        self._owner = owner
        self._known_gaps: set[tuple[Partition, int, int]] = set()
        self.on_new_assignment: Callable[[], None] = lambda: None

    async def all_partitions(self) -> list[Partition]:
        """Every partition of the handler's topics, for a process that is to own them all."""
        return await self._admin.partitions(self._handler.topics)

    async def revoked(self, _: Sequence[Partition]) -> None:
        """Close, and give the batch in flight some time; should it take longer, the next owner's epoch fences it."""
        self.assignment += 1
        self.open = False
        try:
            await asyncio.wait_for(self.idle.wait(), _HAND_OVER_PATIENCE_S)
        except TimeoutError:
            log.warning("handing over with a batch in flight", consumer=self._handler.name)

    async def assigned(self, partitions: Sequence[Partition]) -> None:
        """Claim, seek, open. A failure is kept in `failure`, because the client would swallow it and go on at Kafka's offsets."""
        try:
            claims = await self._claim(partitions)
        except BaseException as error:
            self.failure = error
            raise
        # No await from here to the end, or a record fetched at the old place could slip in between.
        self.claims = claims
        self.next_offsets = {partition: claim.next_offset for partition, claim in claims.items()}
        self._known_gaps.clear()
        self.rewind(claims)
        self.on_new_assignment()
        self.assignment += 1
        self.open = True
        log.info("partitions claimed", consumer=self._handler.name, partitions=len(claims))

    async def _claim(self, partitions: Sequence[Partition]) -> dict[Partition, Claim]:
        starts = await self._admin.log_starts(partitions) if partitions else {}
        async with self._engine.begin() as tx:
            claims = await positions.claim(tx, self._handler.name, self._owner, starts)
            replaced = {
                each: starts[each] for each, claim in claims.items() if claim.log_id != starts[each].log_id
            }
            if replaced:
                self._accept_new_logs(replaced)
                await positions.restart(tx, self._handler.name, replaced)
                claims |= {
                    each: Claim(start.offset, claims[each].epoch, start.log_id)
                    for each, start in replaced.items()
                }
            await self._handler.claimed(tx, partitions)
        return claims

    def _accept_new_logs(self, replaced: Mapping[Partition, LogStart]) -> None:
        if self._settings.on_new_log == "stop":
            raise FatalError(
                f"{self._handler.name}: the topics of {sorted(replaced)} were made anew since the positions were written. "
                "If that was meant, set CSM_KAFKA__ON_NEW_LOG=restart once."
            )
        log.warning("new logs under old positions: starting at their beginning", partitions=len(replaced))

    def epochs(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The epochs under which we may write to those of the partitions that are ours."""
        return {each: self.claims[each].epoch for each in partitions if each in self.claims}

    def gap_is_new(self, partition: Partition, expected: int, found: int) -> bool:
        """True the first time this gap is seen: it can be a stale fetch buffer, so fetch again. The second time it is legal."""
        gap = (partition, expected, found)
        if gap not in self._known_gaps:
            self._known_gaps.add(gap)
            return True
        self._known_gaps.discard(gap)
        metrics.consumer_gaps.add(1, {"consumer": self._handler.name})
        return False

    def seek(self, partition: Partition, offset: int) -> None:
        """Fetch from `offset` next, if the partition is still ours."""
        tp = TopicPartition(*partition)
        if tp in self._client.assignment():
            self._client.seek(tp, offset)

    def rewind(self, partitions: Iterable[Partition]) -> None:
        """Fetch again what was not committed."""
        for partition in partitions:
            if partition in self.next_offsets:
                self.seek(partition, self.next_offsets[partition])

    def client_partitions(self, partitions: Iterable[Partition] | None = None) -> list[TopicPartition]:
        """Those of the partitions (all when None) that the client has now, in its own type."""
        assigned = self._client.assignment()
        return [
            tp
            for tp in (TopicPartition(*each) for each in (self.claims if partitions is None else partitions))
            if tp in assigned
        ]
