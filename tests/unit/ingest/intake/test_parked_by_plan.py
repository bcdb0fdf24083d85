"""Tracking plans: what a source is not expected to send is counted, kept aside, or refused, on every door."""

from typing import Any

import pytest
from tests.unit.ingest.door import Door, event, open_door
from tests.unit.ingest.intake.product import accounts, listed, send
from tests.unit.ingest.sdk.samples import call

EVENTS = {
    "Report Exported": {"required": ["format"], "properties": {"format": {"enum": ["pdf", "csv"]}}},
    "acme.workspace.archived": {"properties": {"workspace": {"type": "string"}}},
    "identify": {"properties": {"plan": False}},
}
GOOD, BAD = event(), event(id="e-2", data={"workspace": 3})
CSV, DOC = (
    call(messageId=each, properties={"format": each}, context={"groupId": "acme"}) for each in ("csv", "doc")
)


def planned(mode: str, **told: Any) -> Door:
    """A door with this plan for every source."""
    plan = {"source": "*", "mode": mode, "events": EVENTS} | told
    return open_door(configuration={"plans": [plan]})


def violations(door: Door) -> dict[tuple[str, str, str, str], int]:
    """How often which rule was broken: by source, name, path and keyword."""
    return {(each.source, each.name, each.path, each.rule): each.times for each in door.tally.take()[1]}


@pytest.mark.parametrize(
    ("mode", "counts", "log"),
    [
        ("log", {"accepted": 2}, ["csv", "doc"]),
        ("park", {"accepted": 1, "rejected": 1}, ["csv"]),
        ("reject", {"accepted": 1, "rejected": 1}, ["csv"]),
    ],
)
async def test_calls_of_sdks(mode: str, counts: dict[str, int], log: list[str]) -> None:
    door = planned(mode)

    assert await send(door, CSV, DOC) == counts

    assert list(accounts(door)) == log
    assert await listed(door) == ({} if mode == "log" else {"doc": "plan_violation"})
    assert violations(door) == {("sdk/backend", "Report Exported", "format", "enum"): 1}


@pytest.mark.parametrize(
    ("mode", "status", "told"),
    [("log", 202, "accepted"), ("park", 202, "parked"), ("reject", 400, "plan_violation")],
)
async def test_one_cloud_event(mode: str, status: int, told: str) -> None:
    door = planned(mode)

    answer = await door.post(BAD)

    assert answer.status_code == status
    assert told in (answer.json().get("status"), answer.json().get("code"))
    assert len(door.facts) == (mode == "log")
    assert await listed(door) == ({} if mode == "log" else {"e-2": "plan_violation"})
    assert violations(door) == {("urn:acme:app", "acme.workspace.archived", "workspace", "type"): 1}


@pytest.mark.parametrize(
    ("mode", "counts"),
    [
        ("log", {"accepted": 2, "parked": 0, "rejected": 0}),
        ("park", {"accepted": 1, "parked": 1, "rejected": 0}),
        ("reject", {"accepted": 1, "parked": 0, "rejected": 1}),
    ],
)
async def test_a_batch_of_cloud_events(mode: str, counts: dict[str, int]) -> None:
    door = planned(mode)

    answer = await door.post([GOOD, BAD])

    assert answer.status_code == 202
    assert {name: answer.json()[name] for name in counts} == counts
    assert len(door.facts) == counts["accepted"]


async def test_a_batch_of_parked_ones_alone_is_taken() -> None:
    answer = await planned("park").post([BAD])

    assert (answer.status_code, answer.json()["parked"]) == (202, 1)


async def test_what_is_to_be_parked_must_be_kept() -> None:
    door = planned("park")
    door.store.away = True

    assert (await door.post(BAD)).status_code == 503
    assert (await door.client.post("/v1/track", json=DOC)).status_code == 503


async def test_unplanned_events_are_refused_where_the_plan_says_so() -> None:
    door = planned("park", unplanned="refuse")

    assert await send(door, call(event="Other", context={"groupId": "acme"})) == {"rejected": 1}

    assert violations(door) == {("sdk/backend", "Other", "", "unplanned"): 1}
    assert "no event 'Other'" in door.rejections[0].reason


async def test_a_reason_tells_no_value_that_may_be_personal() -> None:
    door = planned("park")
    await send(door, call("identify", messageId="i-1", traits={"plan": "kim@acme.example"}))

    assert "kim@acme" not in door.rejections[0].reason
    assert "plan" in door.rejections[0].reason


async def test_sources_without_a_plan_are_left_alone() -> None:
    door = planned("reject", source="sdk/mobile")

    assert await send(door, DOC) == {"accepted": 1}
    assert violations(door) == {}


async def test_values_of_any_size_are_held_against_the_plan() -> None:
    events = {"Report Exported": {"properties": {"rows": {"type": "integer", "maximum": 10**30}}}}
    door = planned("reject", events=events)
    rows = [10**25, -(10**25), 10**31, 1e300]

    counts = await send(
        door,
        *(
            call(messageId=f"m-{n}", properties={"rows": each}, context={"groupId": "acme"})
            for n, each in enumerate(rows)
        ),
    )

    assert counts == {"accepted": 2, "rejected": 2}
