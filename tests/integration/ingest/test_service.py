"""Ingest over a real PostgreSQL and both brokers: durable means readable."""

import json
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.integration.ingest.service import Service, running
from tests.support import logs
from tests.support.brokers import Broker, embedded_settings
from tests.support.ports import free_port
from tests.support.postgres import Database
from tests.unit.ingest.door import event, refusal

from csm_cli.stack.broker import EmbeddedBroker
from csm_common.contracts.topics import CUSTOMER_CONTACTS, CUSTOMER_EVENTS

PATH = "/v1/events"


@pytest.fixture
async def service(database: Database, fresh_broker: Broker) -> AsyncIterator[Service]:
    """Ready, on each kind of broker."""
    async with running(database, fresh_broker.settings) as service:
        await service.until_ready()
        yield service


async def test_what_is_answered_is_on_the_log(service: Service, fresh_broker: Broker) -> None:
    now = datetime.now(UTC).isoformat()
    bodies = [
        json.dumps(event(id=f"one-{number}", subject=f"a-{number % 4}", time=now)) for number in range(20)
    ]

    for body in bodies:
        assert (await service.client.post(PATH, content=body)).status_code == 202

    records = await logs.read(fresh_broker.settings, CUSTOMER_EVENTS.name, 20)
    ours = [each for each in records if (each.value or b"").decode() in bodies]
    assert len(ours) == 20
    assert all(each.key == json.loads(each.value or b"")["subject"].encode() for each in ours)
    assert all(each.headers == {"content-type": "application/cloudevents+json"} for each in ours)
    partitions = {each.key: each.partition for each in ours}
    assert all(partitions[each.key] == each.partition for each in ours)


async def test_a_batch_and_its_contacts_are_on_their_logs(service: Service, fresh_broker: Broker) -> None:
    person = event(
        id="person", type="csm.contact.changed", data={"contact_id": "c-1", "email": "kim@acme.example"}
    )
    batch = [event(id=f"many-{number}") for number in range(500)]

    response = await service.client.post(PATH, json=[*batch, person, event(id="")])

    assert (response.json()["accepted"], response.json()["rejected"]) == (501, 1)
    contacts = await logs.read(fresh_broker.settings, CUSTOMER_CONTACTS.name, 1)
    assert [each.key for each in contacts] == [b"acme/c-1"]
    records = await logs.read(fresh_broker.settings, CUSTOMER_EVENTS.name, 501)
    ids = [json.loads(each.value or b"")["id"] for each in records if each.key == b"acme"]
    assert [each for each in ids if each.startswith("many-")] == [each["id"] for each in batch]
    assert not any(b"kim@acme.example" in (each.value or b"") for each in records)


async def test_a_silent_broker_is_told_of_and_what_is_sent_again_is_taken(
    service: Service, fresh_broker: Broker
) -> None:
    with fresh_broker.away():
        response = await service.client.post(PATH, json=event(id="again"))
        assert refusal(response) == (503, "brokers_unavailable")
        assert int(response.headers["retry-after"]) >= 1

    assert (await service.client.post(PATH, json=event(id="again"))).status_code == 202


async def test_a_refused_body_leaves_the_connection_usable(service: Service) -> None:
    too_large = await service.client.post(PATH, content=b" " * 2_000_000)
    assert refusal(too_large) == (413, "too_large")
    assert (await service.client.post(PATH, json=event())).status_code == 202


async def test_a_key_from_nowhere_opens_nothing(service: Service) -> None:
    response = await service.client.post(
        PATH, json=event(), headers={"authorization": f"Bearer csm_0123_{'0' * 64}"}
    )
    assert refusal(response) == (401, "unauthenticated")


async def test_a_broker_that_comes_late_is_waited_for(database: Database) -> None:
    port = free_port()
    async with running(database, embedded_settings(f"127.0.0.1:{port}")) as service:
        assert list(await service.problems()) in (["brokers"], ["brokers", "keys"])
        refused = await service.client.post(PATH, json=event())
        assert refusal(refused) == (503, "brokers_unavailable")

        with tempfile.TemporaryDirectory(prefix="csm-test-broker-") as home, EmbeddedBroker(Path(home), port):
            await service.until_ready()
            assert (await service.client.post(PATH, json=event())).status_code == 202
