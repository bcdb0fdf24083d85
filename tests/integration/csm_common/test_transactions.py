"""One batch, one transaction: repeats are dropped, stale buffers fetched again, and a former owner writes nothing."""

import pytest
from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.brokers import new_topic
from tests.support.clock import ManualClock
from tests.support.consuming import WritingHandler, seen

from csm_common.contracts.topics import Topic
from csm_common.database import positions
from csm_common.database.positions import Advance, LogStart
from csm_common.kafka.ownership import Ownership
from csm_common.kafka.record import Record
from csm_common.kafka.transactions import FencedError, TooManyDeadLettersError, Transactions
from csm_common.settings import KafkaSettings


class Client:
    """As much of the Kafka client as positions need: it owns one partition and notes where it was sent."""

    def __init__(self, partition: TopicPartition) -> None:
        self.partition = partition
        self.seeks: list[int] = []

    def assignment(self) -> set[TopicPartition]:
        """What it owns."""
        return {self.partition}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Note the offset."""
        assert partition == self.partition
        self.seeks.append(offset)


class Owner:
    """A consumer's inside without its loop: it has claimed the one partition of `topic`, whose position is 10."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.topic: Topic = new_topic(partitions=1)
        self.partition = (self.topic.name, 0)
        self.handler = WritingHandler(self.topic)
        self.client = Client(TopicPartition(*self.partition))
        self.engine = engine
        settings = KafkaSettings(bootstrap="127.0.0.1:1")
        self.ownership = Ownership(self.client, engine, settings, self.handler, "me")
        self.commits = 0
        self.transactions = Transactions(
            engine, self.handler, self.ownership, 3, ManualClock(), self._count_commit
        )

    def _count_commit(self) -> None:
        self.commits += 1

    async def claim(self) -> None:
        """Claim the partition and stand at 10."""
        async with self.engine.begin() as tx:
            self.ownership.claims = await positions.claim(
                tx, self.handler.name, "me", {self.partition: LogStart("log-1", 0)}
            )
            await positions.advance(tx, self.handler.name, {self.partition: Advance(10, 10, 0)})

    async def apply(self, *offsets: int) -> dict[tuple[str, int], int]:
        """Apply a batch of records at these offsets, each with its offset as value."""
        records = [Record(*self.partition, offset, 0.0, b"key", str(offset).encode()) for offset in offsets]
        return await self.transactions.apply({self.partition: records})

    async def written(self) -> list[int]:
        """The offsets that were written down."""
        return [each.offset for each in await seen(self.engine, self.topic)]

    async def position(self) -> int:
        """The next offset in PostgreSQL."""
        async with self.engine.connect() as connection:
            return int(await connection.scalar(text("SELECT next_offset FROM positions")) or 0)


@pytest.fixture
async def owner(engine: AsyncEngine) -> Owner:
    """The owner of a partition that stands at 10."""
    owner = Owner(engine)
    await owner.claim()
    return owner


async def test_a_batch_and_its_position_last_together(owner: Owner) -> None:
    assert await owner.apply(10, 11, 12) == {owner.partition: 13}
    assert (await owner.written(), await owner.position(), owner.commits) == ([10, 11, 12], 13, 1)


async def test_what_was_handled_before_is_dropped(owner: Owner) -> None:
    assert await owner.apply(7, 8, 9) == {}
    await owner.apply(8, 9, 10, 11)
    assert (await owner.written(), await owner.position()) == ([10, 11], 12)


async def test_a_gap_is_fetched_again_and_the_second_time_it_is_legal(owner: Owner) -> None:
    assert await owner.apply(15, 16) == {}
    assert (await owner.written(), await owner.position(), owner.client.seeks) == ([], 10, [10])

    assert await owner.apply(15, 16) == {owner.partition: 17}
    assert (await owner.written(), await owner.position(), owner.client.seeks) == ([15, 16], 17, [10])


async def test_a_stale_buffer_loses_nothing(owner: Owner) -> None:
    await owner.apply(15, 16)
    await owner.apply(10, 11, 12, 13, 14, 15, 16)
    assert await owner.written() == [10, 11, 12, 13, 14, 15, 16]


async def test_another_gap_is_looked_at_anew(owner: Owner) -> None:
    await owner.apply(15)
    await owner.apply(15)
    assert await owner.apply(20) == {}
    assert owner.client.seeks == [10, 16]


async def test_holes_inside_a_batch_are_the_log_s_own(owner: Owner) -> None:
    await owner.apply(10, 12, 19)
    assert (await owner.written(), await owner.position()) == ([10, 12, 19], 20)


async def test_a_former_owner_writes_nothing(owner: Owner) -> None:
    async with owner.engine.begin() as tx:
        await positions.claim(tx, owner.handler.name, "another", {owner.partition: LogStart("log-1", 0)})
    with pytest.raises(FencedError) as fenced:
        await owner.apply(10, 11)
    assert fenced.value.partitions == [owner.partition]
    with pytest.raises(FencedError):
        await owner.transactions.apply_due()
    assert (await owner.written(), await owner.position(), owner.handler.timers) == ([], 10, [])


async def test_a_record_at_fault_is_found_and_the_others_are_handled_once(owner: Owner) -> None:
    def refuse(record: Record) -> None:
        if record.offset == 14:
            raise ValueError("at fault")

    owner.handler.refuse = refuse
    assert await owner.apply(*range(10, 20)) == {owner.partition: 20}
    assert await owner.written() == [10, 11, 12, 13, 15, 16, 17, 18, 19]
    assert owner.handler.forgotten > 0


async def test_at_the_limit_nothing_of_the_batch_lasts(owner: Owner) -> None:
    def refuse(record: Record) -> None:
        raise ValueError("all at fault")

    owner.handler.refuse = refuse
    with pytest.raises(TooManyDeadLettersError) as exceeded:
        await owner.apply(10, 11, 12, 13)
    assert exceeded.value.partitions == [owner.partition]
    assert await owner.position() == 12
    with pytest.raises(TooManyDeadLettersError):
        await owner.apply(12, 13)
    assert await owner.position() == 12
