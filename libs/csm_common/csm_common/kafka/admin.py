"""Topics: made from the registry, and the identity and start of their logs."""

import asyncio
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from csm_common.contracts.topics import TOPICS, Topic
from csm_common.database.positions import LogStart, Partition
from csm_common.errors import TransientError
from csm_common.kafka.config import client_config
from csm_common.settings import KafkaSettings

_TIMEOUT_S = 10.0


def _new_topics(settings: KafkaSettings, topics: Sequence[Topic]) -> list[NewTopic]:
    wanted = []
    for topic in topics:
        partitions = settings.partitions or topic.partitions
        config = {"cleanup.policy": topic.cleanup, "retention.ms": str(topic.retention_ms or -1)}
        wanted.append(NewTopic(topic.name, partitions, settings.replication, config=config))
        dead = {"cleanup.policy": "delete", "retention.ms": "-1"}
        wanted.append(NewTopic(topic.dead_letters, 1, settings.replication, config=dead))
    return wanted


class TopicAdmin:
    """Blocking librdkafka calls, each on a thread."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client = AdminClient(client_config(settings))

    async def ensure_topics(self, topics: Sequence[Topic] = TOPICS) -> None:
        """Make the topics that are missing, with their dead-letter topics. TransientError while no broker answers."""
        await asyncio.to_thread(self._ensure_topics, topics)

    def _ensure_topics(self, topics: Sequence[Topic]) -> None:
        try:
            known = self._client.list_topics(timeout=_TIMEOUT_S).topics
            missing = [each for each in _new_topics(self._settings, topics) if each.topic not in known]
            for made in (
                self._client.create_topics(missing, operation_timeout=_TIMEOUT_S).values() if missing else ()
            ):
                made.result(_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise TransientError(
                    f"Kafka at {self._settings.bootstrap} does not answer: {error}"
                ) from error
            self._ensure_topics(topics)  # another service was faster with one of them; look again

    async def partitions(self, topics: Sequence[Topic]) -> list[Partition]:
        """Every partition of the topics."""
        return await asyncio.to_thread(self._partitions, topics)

    def _partitions(self, topics: Sequence[Topic]) -> list[Partition]:
        known = self._client.list_topics(timeout=_TIMEOUT_S).topics
        return [(topic.name, number) for topic in topics for number in sorted(known[topic.name].partitions)]

    async def log_starts(self, partitions: Sequence[Partition]) -> dict[Partition, LogStart]:
        """The identity of each partition's log and its first kept offset. TransientError while no broker answers."""
        try:
            return await asyncio.to_thread(self._log_starts, partitions)
        except KafkaException as error:
            raise TransientError(f"Kafka at {self._settings.bootstrap} does not answer: {error}") from error

    def _log_starts(self, partitions: Sequence[Partition]) -> dict[Partition, LogStart]:
        names = sorted({topic for topic, _ in partitions})
        described = self._client.describe_topics(TopicCollection(names), request_timeout=_TIMEOUT_S)
        cluster = self._client.list_topics(timeout=_TIMEOUT_S).cluster_id
        log_ids = {name: f"{cluster}/{made.result().topic_id}" for name, made in described.items()}
        asked = {TopicPartition(*each): OffsetSpec.earliest() for each in partitions}  # type: ignore[no-untyped-call]
        answers = self._client.list_offsets(asked, request_timeout=_TIMEOUT_S)
        return {
            (tp.topic, tp.partition): LogStart(log_ids[tp.topic], answer.result().offset)
            for tp, answer in answers.items()
        }


async def ensure_topics(settings: KafkaSettings, topics: Sequence[Topic] = TOPICS) -> None:
    """Make the registry's topics that are missing."""
    await TopicAdmin(settings).ensure_topics(topics)
