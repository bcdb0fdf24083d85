"""Topics: made once whoever asks, as the registry says, with logs that can be told apart."""

import asyncio

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not in its __all__
    AdminClient,
    ConfigResource,
    ResourceType,
)
from tests.support.brokers import MakeTopic, embedded, new_topic, only_apache
from tests.support.logs import numbered, publish
from tests.support.servers import restart

from csm_common.contracts.topics import CUSTOMER_CONTACTS, CUSTOMER_EVENTS, TOPICS
from csm_common.kafka.admin import TopicAdmin, ensure_topics
from csm_common.kafka.config import client_config
from csm_common.settings import KafkaSettings


async def test_four_services_that_start_at_once_make_every_topic_once(settings: KafkaSettings) -> None:
    topics = [new_topic(partitions=3), new_topic(cleanup="compact")]
    await asyncio.gather(*(ensure_topics(settings, topics) for _ in range(4)))
    await ensure_topics(settings, topics)

    partitions = await TopicAdmin(settings).partitions(topics)
    assert partitions == [(topics[0].name, n) for n in range(3)] + [(topics[1].name, n) for n in range(2)]
    known = AdminClient(client_config(settings)).list_topics(timeout=10).topics
    assert {topic.dead_letters for topic in topics} <= set(known)


async def test_a_topic_can_be_asked_for_its_log_as_soon_as_it_is_made(settings: KafkaSettings) -> None:
    for _ in range(5):
        topic = new_topic(partitions=2)
        await ensure_topics(settings, [topic])
        starts = await TopicAdmin(settings).log_starts([(topic.name, 0), (topic.name, 1)])
        assert [start.offset for start in starts.values()] == [0, 0]


async def test_partition_counts_can_be_overridden(settings: KafkaSettings) -> None:
    topic = new_topic(partitions=5)
    fewer = settings.model_copy(update={"partitions": 1})
    await ensure_topics(fewer, [topic])
    assert await TopicAdmin(settings).partitions([topic]) == [(topic.name, 0)]


@only_apache
async def test_the_registry_s_topics_are_kept_as_it_says(settings: KafkaSettings) -> None:
    await ensure_topics(settings)
    admin = AdminClient(client_config(settings))
    await TopicAdmin(settings).log_starts(await TopicAdmin(settings).partitions(TOPICS))  # once all are there

    def config(name: str) -> dict[str, str]:
        [answer] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values()
        return {entry.name: entry.value for entry in answer.result(10).values()}

    events, contacts = config(CUSTOMER_EVENTS.name), config(CUSTOMER_CONTACTS.name)
    assert (events["cleanup.policy"], events["retention.ms"]) == ("delete", str(400 * 24 * 3600 * 1000))
    assert (contacts["cleanup.policy"], contacts["retention.ms"]) == ("compact", "-1")
    assert config(CUSTOMER_CONTACTS.dead_letters)["cleanup.policy"] == "delete"
    assert set(admin.list_topics(timeout=10).topics) >= {topic.name for topic in TOPICS}


async def test_the_start_of_a_log_and_its_identity(settings: KafkaSettings, make_topic: MakeTopic) -> None:
    topic, other = await make_topic(partitions=1), await make_topic(partitions=1)
    await publish(settings, numbered(topic, 5))
    admin = TopicAdmin(settings)
    first = await admin.log_starts([(topic.name, 0), (other.name, 0)])
    assert first[(topic.name, 0)].offset == 0
    assert first[(topic.name, 0)].log_id != first[(other.name, 0)].log_id
    assert await admin.log_starts([(topic.name, 0), (other.name, 0)]) == first


async def test_a_broker_that_lost_its_memory_has_other_logs() -> None:
    topic = new_topic(partitions=1)
    async with embedded() as broker:
        assert broker.server is not None
        await broker.create(topic)
        admin = TopicAdmin(broker.settings)
        before = await admin.log_starts([(topic.name, 0)])
        await asyncio.to_thread(restart, broker.server)
        await broker.create(topic)
        after = await admin.log_starts([(topic.name, 0)])
    assert before[(topic.name, 0)].log_id != after[(topic.name, 0)].log_id
