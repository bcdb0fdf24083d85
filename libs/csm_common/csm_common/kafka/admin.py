"""Topics: made from the registry, and the identity and start of their logs."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from csm_common.contracts.topics import DAY_MS, TOPICS, Topic
from csm_common.database.positions import LogStart, Partition
from csm_common.errors import TransientError
from csm_common.kafka.config import client_config
from csm_common.settings import KafkaSettings

_TIMEOUT_S = 10.0
# What brokers answer while leaders are being elected: of a topic just made, or after one of them was lost.
_ELECTING = (
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)
_ELECTION_POLL_S = 0.1
# What a newer record or a tombstone replaces is gone within a day; a tombstone stays a week for readers that were away.
_COMPACTION = {"max.compaction.lag.ms": str(DAY_MS), "delete.retention.ms": str(7 * DAY_MS)}
AskedT = TypeVar("AskedT")
AnswerT = TypeVar("AnswerT")


def _new_topics(settings: KafkaSettings, topics: Sequence[Topic]) -> list[NewTopic]:
    wanted = []
    for topic in topics:
        partitions = settings.partitions or topic.partitions
        config = {"cleanup.policy": topic.cleanup, "retention.ms": str(topic.retention_ms or -1)}
        if topic.cleanup == "compact":
            config |= _COMPACTION
        wanted.append(NewTopic(topic.name, partitions, settings.replication, config=config))
        dead = {"cleanup.policy": "delete", "retention.ms": str(topic.dead_letters_kept_ms or -1)}
        wanted.append(NewTopic(topic.dead_letters, 1, settings.replication, config=dead))
    return wanted


class TopicAdmin:
    """Blocking librdkafka calls, each on a thread."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def _client(self) -> AdminClient:
        # One a call: it is needed at start and at rebalances only, and an idle one would complain of every broker restart.
        return AdminClient(client_config(self._settings))

    async def ensure_topics(self, topics: Sequence[Topic] = TOPICS) -> None:
        """Make the topics that are missing, with their dead-letter topics. TransientError while no broker answers."""
        await self._ask(self._ensure_topics, topics)

    def _ensure_topics(self, topics: Sequence[Topic]) -> None:
        client = self._client()
        known = client.list_topics(timeout=_TIMEOUT_S).topics
        missing = [each for each in _new_topics(self._settings, topics) if each.topic not in known]
        if not missing:
            return
        for made in client.create_topics(missing, operation_timeout=_TIMEOUT_S).values():
            try:
                made.result(_TIMEOUT_S)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another service was faster
                    raise

    async def partitions(self, topics: Sequence[Topic]) -> list[Partition]:
        """Every partition of the topics. TransientError while no broker answers."""
        return await self._ask(self._partitions, topics)

    def _partitions(self, topics: Sequence[Topic]) -> list[Partition]:
        known = self._client().list_topics(timeout=_TIMEOUT_S).topics
        return [(topic.name, number) for topic in topics for number in sorted(known[topic.name].partitions)]

    async def log_starts(self, partitions: Sequence[Partition]) -> dict[Partition, LogStart]:
        """The identity of each partition's log and its first kept offset. TransientError while no broker answers."""
        return await self._ask(self._log_starts, partitions)

    def _log_starts(self, partitions: Sequence[Partition]) -> dict[Partition, LogStart]:
        deadline = time.monotonic() + _TIMEOUT_S
        while True:
            try:
                return self._log_starts_now(partitions)
            except KafkaException as error:
                if error.args[0].code() not in _ELECTING or time.monotonic() > deadline:
                    raise
            time.sleep(_ELECTION_POLL_S)

    def _log_starts_now(self, partitions: Sequence[Partition]) -> dict[Partition, LogStart]:
        client = self._client()
        names = sorted({topic for topic, _ in partitions})
        described = client.describe_topics(TopicCollection(names), request_timeout=_TIMEOUT_S)
        cluster = client.list_topics(timeout=_TIMEOUT_S).cluster_id
        log_ids = {name: f"{cluster}/{made.result().topic_id}" for name, made in described.items()}
        asked = {TopicPartition(*each): OffsetSpec.earliest() for each in partitions}  # type: ignore[no-untyped-call]
        answers = client.list_offsets(asked, request_timeout=_TIMEOUT_S)
        return {
            (tp.topic, tp.partition): LogStart(log_ids[tp.topic], answer.result().offset)
            for tp, answer in answers.items()
        }

    async def _ask(self, question: Callable[[AskedT], AnswerT], asked: AskedT) -> AnswerT:
        try:
            return await asyncio.to_thread(question, asked)
        except KafkaException as error:
            raise unreachable(self._settings, error) from error


def unreachable(settings: KafkaSettings, error: Exception) -> TransientError:
    """No broker answers, or not well."""
    return TransientError(
        f"Kafka at {settings.bootstrap} does not answer as it should: {error}", code="brokers_unavailable"
    )


async def ensure_topics(settings: KafkaSettings, topics: Sequence[Topic] = TOPICS) -> None:
    """Make the registry's topics that are missing."""
    await TopicAdmin(settings).ensure_topics(topics)
