"""Rejections are tried again after a fix, and what is taken then counts once."""

from datetime import timedelta
from typing import Any

from tests.unit.ingest.door import Door, event, open_door
from tests.unit.ingest.intake.product import accounts, facts, listed, restarted, send
from tests.unit.ingest.sdk.samples import call

from ingest.application.replays import ReplayReport, Selection

DAY = timedelta(days=1)
EVERYTHING = Selection()
GROUP = call("group", messageId="g-1", groupId="acme")


def planned(*formats: str) -> dict[str, Any]:
    """A plan under which only these formats of a report may be exported; others are parked."""
    schema = {"properties": {"format": {"enum": list(formats)}}}
    return {"plans": [{"source": "*", "mode": "park", "events": {"Report Exported": schema}}]}


def export(format: str, key: str = "m-1", **told: Any) -> dict[str, Any]:
    """A report was exported."""
    return call(messageId=key, properties={"format": format}, **told)


async def replay(door: Door, selection: Selection = EVERYTHING, limit: int = 1_000) -> ReplayReport:
    """Try again."""
    return await door.handlers.replay.run(selection, limit)


async def test_what_the_plan_allows_now_is_taken_and_what_it_does_not_stays() -> None:
    door = open_door(configuration=planned("pdf"))
    await send(door, GROUP, export("csv", "m-1"), export("xml", "m-2"))
    assert await replay(door) == ReplayReport(0, 0, 2, {"plan_violation": 2})

    door = restarted(door, planned("pdf", "csv"))

    assert await replay(door) == ReplayReport(1, 0, 1, {"plan_violation": 1})
    assert accounts(door) == {"g-1": "acme", "m-1": "acme"}
    assert await listed(door) == {"m-2": "plan_violation"}


async def test_what_the_mapping_reads_now_is_taken(door: Door) -> None:
    await send(door, GROUP | {"traits": {"arr": "lots"}})
    facts_of_group = [{"type": "csm.account.changed", "when": {"type": "group"}, "data": {"name": "groupId"}}]

    door = restarted(door, {"sdk": {"facts": facts_of_group}})

    assert await replay(door) == ReplayReport(1, 0, 0)
    assert [each["data"] for each in facts(door)] == [{"name": "acme"}]


async def test_what_is_still_wrong_is_counted_again_under_its_present_reason() -> None:
    door = open_door()
    await send(door, export("csv", timestamp="soon"))
    (row,) = door.rejections

    door = restarted(door, planned("pdf"))
    await replay(door)
    await replay(door)

    assert door.store.tables.rejections.times[row.id] == 3
    assert await listed(door) == {"m-1": "not_a_time"}


async def test_only_what_is_selected_is_tried() -> None:
    door = open_door(configuration=planned("pdf"))
    await send(door, GROUP, export("csv", "m-1"), export("csv", "m-2"), call("nothing", messageId="m-3"))
    await door.post(event(id="e-1", source="billing", type="csm.unknown"))
    ids = {each.message_id: each.id for each in door.rejections}
    door = restarted(door, planned("csv"))

    assert (await replay(door, Selection(code="unknown_type", source="billing"))).rejected == 1
    assert (await replay(door, Selection(source="sdk/backend", code="unknown_type"))).rejected == 1
    assert (await replay(door, Selection(ids=(ids["m-2"] or "",), source="billing"))) == ReplayReport(0, 0, 0)
    assert (await replay(door, Selection(ids=(ids["m-2"] or "",)))).replayed == 1

    assert sorted(accounts(door)) == ["g-1", "m-2"]


async def test_no_more_than_asked_for_are_tried() -> None:
    door = open_door(configuration=planned("pdf"))
    await send(door, GROUP, *(export("csv", f"m-{number}") for number in range(5)))
    door = restarted(door, planned("csv"))

    assert (await replay(door, limit=2)).replayed == 2
    assert len(await listed(door)) == 3
    assert (await replay(door)).replayed == 3


async def test_more_than_one_chunk_is_tried_to_its_end() -> None:
    door = open_door(configuration=planned("pdf"))
    calls = [export("csv", f"m-{number}", context={"groupId": "acme"}) for number in range(450)]
    await send(door, *calls)
    assert (await replay(door)).rejected == 450

    assert (await replay(restarted(door, planned("csv")))).replayed == 450
    assert len(accounts(door)) == 450


async def test_what_was_taken_is_not_tried_twice() -> None:
    door = open_door(configuration=planned("pdf"))
    await send(door, GROUP, export("csv"))
    door = restarted(door, planned("csv"))

    assert (await replay(door)).replayed == 1
    assert await replay(door) == ReplayReport(0, 0, 0)
    assert await send(restarted(door), export("csv")) == {"accepted": 1}

    assert accounts(door) == {"g-1": "acme", "m-1": "acme"}


async def test_a_message_may_wait_for_its_account_once_it_is_in_order() -> None:
    door = open_door(configuration=planned("pdf"))
    await send(door, export("csv"))
    door = restarted(door, planned("csv"))

    assert await replay(door) == ReplayReport(0, 1, 0)
    assert await listed(door) == {}
    await send(door, GROUP)

    assert accounts(door) == {"g-1": "acme", "m-1": "acme"}


async def test_what_waits_and_is_tried_waits_on_and_stays_listed(door: Door) -> None:
    await send(door, call())
    door.clock.advance(DAY)

    assert await replay(door) == ReplayReport(0, 1, 0)
    assert await replay(door) == ReplayReport(0, 1, 0)

    assert await listed(door) == {"m-1": "unattributed"}
    await send(door, GROUP)
    assert accounts(door) == {"g-1": "acme", "m-1": "acme"}


async def test_what_waits_is_given_once_the_mapping_finds_its_account(door: Door) -> None:
    lone = call(messageId="m-1", properties={"tenant": "acme"})
    shared = call(messageId="m-2", anonymousId="c-1", properties={"tenant": "acme"})
    await send(door, lone, shared)
    door.clock.advance(DAY)

    door = restarted(door, {"sdk": {"account": ["properties.tenant"]}})

    assert await replay(door) == ReplayReport(2, 0, 0)
    assert accounts(door) == {"m-1": "acme", "m-2": "acme"}
    assert await listed(door) == {}
    await send(door, GROUP)
    assert len(facts(door)) == 3


async def test_a_group_among_those_tried_lets_go_what_waits() -> None:
    plan = {"source": "*", "mode": "park", "events": {"group": {"required": ["plan"]}}}
    door = open_door(configuration={"plans": [plan]})
    await send(door, call(), GROUP)
    door.clock.advance(DAY)

    report = await replay(restarted(door, {}))

    assert (report.replayed, report.rejected) == (2, 0)
    assert accounts(door) == {"g-1": "acme", "m-1": "acme"}
    assert await listed(door) == {}


async def test_a_conflict_does_not_overtake_what_had_the_id_first(door: Door) -> None:
    others = [call(event=f"Other {number}") for number in range(9)]
    await send(door, call(), *others)
    door.clock.advance(DAY)

    report = await replay(door)

    assert (report.held, report.rejected) == (1, 9)
    await send(door, GROUP)
    assert {each["data"].get("feature") for each in facts(door)} == {None, "Report Exported"}


async def test_what_is_refused_again_later_is_listed_again() -> None:
    door = open_door(configuration=planned("pdf"))
    await send(door, GROUP, export("csv"))
    await replay(restarted(door, planned("csv")))
    assert await listed(door) == {}

    await send(restarted(door, planned("pdf")), export("csv"))

    assert await listed(door) == {"m-1": "plan_violation"}


async def test_cloud_events_are_read_as_they_would_have_been(door: Door) -> None:
    told = event(id="e-1", type="csm.usage.recorded", data={"feature": "report"}, time="2026-03-04T08:00:00Z")
    backfill = event(id="e-2", backfill=True, time="2026-03-04T08:00:00Z")
    await door.post([told, backfill, event(id="e-3")])
    door.clock.advance(2 * DAY)

    assert await replay(door) == ReplayReport(2, 0, 0)

    taken = {each["id"]: each for each in facts(door)}
    assert taken["e-1"] == told
    assert taken["e-2"] == backfill


async def test_without_the_database_nothing_is_tried(door: Door) -> None:
    await send(door, call("nothing"))
    door.store.away = True
    token = door.keys.add("operator", scopes=["ingest:write"])

    answer = await door.client.post(
        "/v1/rejections:replay", json={"all": True}, headers={"authorization": f"Bearer {token}"}
    )

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
