"""Everything that is on a topic now."""

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from csm_common.kafka.config import client_config
from csm_common.settings import KafkaSettings

_AT_ONCE = 5_000


class _Id(msgspec.Struct):
    id: str


def ids_on(settings: KafkaSettings, topic: str) -> set[str]:
    """The ids of all events of the topic."""
    config = {**client_config(settings), "group.id": "benchmark", "enable.auto.commit": False}
    consumer = Consumer(config)
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    ends = {number: consumer.get_watermark_offsets(TopicPartition(topic, number))[1] for number in partitions}
    left, found, decode = sum(ends.values()), set(), msgspec.json.Decoder(_Id).decode
    while left > 0:
        for each in consumer.consume(_AT_ONCE, timeout=30):
            found.add(decode(each.value() or b"").id)
            left -= 1
    consumer.close()
    return found
