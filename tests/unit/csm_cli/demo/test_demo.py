"""The demo is the same story each time, is accepted in whole, and reaches no real person."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from tests.support.clock import START, ManualClock

from csm_cli.demo.cast import CAST, SILENCE_AFTER_S
from csm_cli.demo.history import history
from csm_cli.demo.loader import is_loaded, tell
from csm_cli.demo.script import scenes
from csm_cli.importing.door import Refusal
from csm_cli.importing.dry_run import ContractCheck
from csm_common.contracts.facts import FACTS
from csm_common.errors import FatalError

LATER_THAT_DAY = START + timedelta(hours=3)


class Listener:
    """Takes what the contracts allow, and lets time pass as the demo sleeps."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.heard: list[tuple[float, dict[str, Any]]] = []
        self.said: list[str] = []
        self._began = clock.now()

    async def send(self, events: Sequence[bytes]) -> list[Refusal]:
        """Implements csm_cli.importing.pipeline.Sink."""
        after = (self._clock.now() - self._began).total_seconds()
        self.heard += [(after, json.loads(each)) for each in events]
        return await ContractCheck().send(events)

    async def sleep(self, seconds: float) -> None:
        """Pass at once."""
        self._clock.advance(timedelta(seconds=seconds))

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events in the order they came."""
        return [event for _, event in self.heard]


async def told(start: Any = START) -> Listener:
    clock = ManualClock(start)
    listener = Listener(clock)
    await tell(listener, clock, listener.sleep, listener.said.append)
    return listener


async def test_the_whole_demo_is_in_order_by_the_contracts() -> None:
    listener = await told()
    assert {each["subject"] for each in listener.events} == {each.id for each in CAST}
    assert {each["type"] for each in listener.events} <= set(FACTS)
    assert len(CAST) == 12
    assert max(Counter(each["id"] for each in listener.events).values()) == 1


async def test_history_is_a_backfill_that_ends_before_life_goes_on() -> None:
    events = (await told()).events
    backfill = [each.get("backfill", False) for each in events]
    history_length = backfill.index(False)
    assert history_length > 3_000
    assert not any(backfill[history_length:])
    ended = events[history_length : history_length + len(CAST)]
    assert [each["type"] for each in ended] == ["csm.backfill.ended"] * len(CAST)
    assert all(msgspec.convert(each["time"], type(START)) <= START for each in events[:history_length])


async def test_life_takes_a_minute_and_happens_at_its_time() -> None:
    listener = await told()
    live = [(after, event) for after, event in listener.heard if after > 0]
    assert 50 < max(after for after, _ in live) <= 60
    for after, event in live:
        assert msgspec.convert(event["time"], type(START)) == START + timedelta(seconds=after)


async def test_loading_again_on_the_same_day_tells_the_same_history() -> None:
    first, second = await told(), await told(LATER_THAT_DAY)

    def by_id(listener: Listener) -> dict[str, Any]:
        return {each["id"]: each for each in listener.events if each.get("backfill")}

    again = by_id(second)
    known = {key: each for key, each in by_id(first).items() if key in again}
    assert len(known) == len(again) - len(CAST)  # each customer's last use is as old as the load
    assert known == {key: again[key] for key in known}


async def test_another_day_tells_a_history_of_its_own() -> None:
    first, second = await told(), await told(START + timedelta(days=1))
    assert not {each["id"] for each in first.events} & {each["id"] for each in second.events}


async def test_people_have_addresses_that_reach_nobody() -> None:
    addresses = {each["data"]["email"] for each in (await told()).events if "email" in each["data"]}
    assert len(addresses) == 3
    assert all(each.endswith("@example.com") for each in addresses)


async def test_every_account_names_an_owner_who_can_be_reached() -> None:
    events = (await told()).events
    named = {
        each["subject"]: each["data"]["owner"] for each in events if each["type"] == "csm.account.changed"
    }
    contacts = {
        each["subject"]: each["data"]["contact_id"]
        for each in events
        if each["type"] == "csm.contact.changed"
    }
    assert named == contacts
    assert len(named) == len(CAST)


@pytest.mark.parametrize("hour", [0, 2, 13, 23])
def test_the_silent_account_was_used_last_to_the_second(hour: int) -> None:
    now = START.replace(hour=hour)
    (fable,) = [each for each in CAST if each.id == "fable-freight"]
    used = [each.time for each in history(fable, now) if each.type == "csm.usage.recorded"]
    assert now + timedelta(seconds=SILENCE_AFTER_S) - max(used) == timedelta(days=12, hours=13)
    assert not [fact for scene in scenes(now) for fact in scene.facts if fact.account == fable.id]


async def test_what_should_be_watched_is_said() -> None:
    listener = await told()
    assert "60 days of history of 12 customers" in listener.said[0]
    assert len(listener.said) == 2 + sum(1 for each in scenes(START) if each.line)


async def test_a_refusal_is_told_and_not_passed_over() -> None:
    class Refusing(Listener):
        async def send(self, events: Sequence[bytes]) -> list[Refusal]:
            return [Refusal(0, "c", "no such thing")]

    clock = ManualClock()
    refusing = Refusing(clock)
    with pytest.raises(FatalError, match="Ingest refused 1 events of the demo; the first: no such thing"):
        await tell(refusing, clock, refusing.sleep, refusing.said.append)


@pytest.mark.parametrize(("status", "expected"), [(200, True), (404, False)])
async def test_it_is_not_loaded_twice(status: int, expected: bool) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status)

    stack = {"health_score": {"url": "http://health"}, "api_key": "csm_key"}
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        assert await is_loaded(client, stack) is expected
    assert str(asked[0].url) == "http://health/v1/accounts/zephyr-rail"
    assert asked[0].headers["authorization"] == "Bearer csm_key"


async def test_it_is_not_loaded_where_that_cannot_be_told() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(503))
    stack = {"health_score": {"url": "http://health"}, "api_key": "csm_key"}
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(httpx.HTTPStatusError):
            await is_loaded(client, stack)
