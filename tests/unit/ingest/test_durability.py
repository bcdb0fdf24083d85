"""Accepted means durable: without all acknowledgements nothing is promised."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from tests.support.waiting import eventually
from tests.unit.ingest.door import Door, event, open_door, refusal
from tests.unit.ingest.fakes import MemoryBrokers

from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database.outbox import Message

CONTACT = event(type="csm.contact.changed", data={"contact_id": "c-1", "email": "kim@acme.example"})


@pytest.mark.parametrize("body", [event(), [event(id="e-1"), event(id="e-2")]], ids=["one", "batch"])
async def test_what_the_brokers_do_not_acknowledge_is_to_be_sent_again(door: Door, body: object) -> None:
    with door.brokers.losing(CUSTOMER_EVENTS.name):
        response = await door.post(body)

    assert refusal(response) == (503, "brokers_unavailable")
    assert int(response.headers["retry-after"]) >= 1
    assert (await door.post(body)).status_code == 202


async def test_half_acknowledged_is_not_durable(door: Door) -> None:
    with door.brokers.losing_every_second(CUSTOMER_EVENTS.name):
        response = await door.post([event(id="a"), event(id="b")])

    assert refusal(response) == (503, "brokers_unavailable")
    assert (await door.post([event(id="a"), event(id="b")])).json()["accepted"] == 2


async def test_a_full_queue_is_told_of_at_once(door: Door) -> None:
    door.brokers.full = True

    response = await door.post(event())

    assert refusal(response) == (503, "overloaded")
    assert int(response.headers["retry-after"]) >= 1


async def test_bytes_in_flight_are_bounded() -> None:
    size = len(json.dumps(event()))
    door = open_door(max_bytes_in_flight=2 * size)

    with door.brokers.pausing():
        in_flight = [asyncio.create_task(door.post(event(id=f"e-{n}"))) for n in range(2)]
        await eventually(lambda: door.brokers.waiting == 2)
        response = await door.post(event(id="e-2"))
        assert refusal(response) == (503, "overloaded")
        assert response.headers["retry-after"] == "1"

    assert [(await each).status_code for each in in_flight] == [202, 202]
    assert (await door.post(event(id="e-2"))).status_code == 202
    assert len(door.facts) == 3


class BrokenBrokers(MemoryBrokers):
    """Has a bug."""

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        """Never gets there."""
        raise ZeroDivisionError("what only we should know")


async def test_a_bug_is_told_of_without_details() -> None:
    door = open_door(brokers=BrokenBrokers())

    response = await door.post(event())

    assert refusal(response) == (500, "internal_error")
    assert "what only we should know" not in response.text
