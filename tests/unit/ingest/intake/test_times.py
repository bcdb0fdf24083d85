"""Times: late events are marked and taken, those of the future are kept aside."""

import json
from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.ingest.door import Door, event, open_door
from tests.unit.ingest.intake.product import facts, listed, send
from tests.unit.ingest.sdk.samples import call

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("age", "late"), [(HOUR, False), (HOUR + SECOND, True), (-HOUR, False)])
async def test_what_tells_of_more_than_an_hour_ago_is_marked(door: Door, age: timedelta, late: bool) -> None:
    told = event(time=(START - age).isoformat())

    await door.post(told)
    await send(door, call(timestamp=(START - age).isoformat(), context={"groupId": "acme"}))

    assert [each.get("late", False) for each in facts(door)] == [late, late]


async def test_how_old_is_late_is_told_by_the_settings() -> None:
    door = open_door(late_after_s=60.0)

    await door.post(event(time=(START - 61 * SECOND).isoformat()))

    assert facts(door)[0]["late"] is True


@pytest.mark.parametrize("space", ["", " ", "\n\t "])
async def test_the_mark_leaves_every_other_byte_as_it_was(door: Door, space: str) -> None:
    told = json.dumps(event(time="2026-03-01T00:00:00+05:30", custom="é"), ensure_ascii=False, indent=1)
    body = (space + told + space).encode()

    await door.post(body)

    (message,) = door.facts
    assert message.value == (space + told).encode()[:-1] + b',"late":true}'


@pytest.mark.parametrize("told", [True, "yes", None])
async def test_the_mark_is_there_once_whatever_the_sender_says_of_it(door: Door, told: object) -> None:
    await door.post([event(id="e-1", time="2026-03-01T00:00:00Z", late=told), event(id="e-2", late=told)])

    long_ago, new = (message.value or b"" for message in door.facts)
    assert (long_ago.count(b'"late":true'), long_ago.count(b'"late"'), new.count(b'"late"')) == (1, 1, 0)


async def test_history_is_not_late(door: Door) -> None:
    await door.post(event(time="2020-01-01T00:00:00Z", backfill=True))

    assert "late" not in facts(door)[0]


async def test_late_ones_are_counted_by_source(door: Door) -> None:
    await door.post([event(id="e-1"), event(id="e-2", time="2026-03-01T00:00:00Z")])

    ((minute,), _) = door.tally.take()
    assert (minute.accepted, minute.late) == (2, 1)


@pytest.mark.parametrize(("ahead", "counts"), [(24, {"accepted": 1}), (24.1, {"rejected": 1})])
async def test_a_time_may_be_a_day_ahead(door: Door, ahead: float, counts: dict[str, int]) -> None:
    time = (START + ahead * HOUR).isoformat()

    assert await send(door, call(timestamp=time, context={"groupId": "acme"})) == counts

    answer = await door.post(event(time=time))
    assert answer.status_code == (202 if "accepted" in counts else 400)
    codes = {} if "accepted" in counts else {"m-1": "time_in_future", "e-1": "time_in_future"}
    assert await listed(door) == codes


async def test_a_clock_that_is_wrong_is_put_right(door: Door) -> None:
    wrong = call(timestamp="2031-03-02T08:59:00Z", sentAt="2031-03-02T09:00:00Z", context={"groupId": "acme"})

    assert await send(door, wrong) == {"accepted": 1}

    assert facts(door)[0]["time"] == "2026-03-02T08:59:00Z"
