"""What waits for its account is listed after a stated time, and goes on waiting."""

from datetime import timedelta

from tests.support.clock import START
from tests.unit.ingest.door import Door, open_door
from tests.unit.ingest.intake.product import accounts, listed, restarted, send
from tests.unit.ingest.sdk.samples import call

DAY = timedelta(days=1)


async def test_it_is_listed_once_it_has_waited_so_long(door: Door) -> None:
    await send(door, call())

    assert await listed(door, START + DAY - timedelta(seconds=1)) == {}
    assert await listed(door, START + DAY) == {"m-1": "unattributed"}
    assert "u-1" in door.rejections[0].reason


async def test_how_long_is_told_by_the_settings() -> None:
    door = open_door(hold_for_s=60.0)
    await send(door, call())

    assert await listed(door, START + timedelta(seconds=60)) == {"m-1": "unattributed"}


async def test_a_late_group_still_lets_it_go(door: Door) -> None:
    await send(door, call())
    door.clock.advance(30 * DAY)

    await send(restarted(door), call("group", messageId="g-1", groupId="acme"))

    assert accounts(door) == {"m-1": "acme", "g-1": "acme"}
    assert await listed(door) == {}


async def test_a_message_that_came_long_ago_is_judged_by_the_time_it_came(door: Door) -> None:
    await send(door, call(timestamp="2026-03-02T08:59:00Z"))
    door.clock.advance(30 * DAY)

    await send(door, call("group", messageId="g-1", groupId="acme", timestamp=None))

    (fact,) = [each for each in door.store.tables.outbox.messages if b"m-1" in (each.value or b"")]
    assert b'"late"' not in (fact.value or b"")


async def test_what_is_out_of_order_once_its_account_is_known_is_listed_with_that_reason(door: Door) -> None:
    told = call("identify", messageId="i-1", userId=None, anonymousId="c-1", traits={"email": "a@b.example"})
    await send(door, told)
    login = call(messageId="m-1", userId="a/b", anonymousId="c-1")

    await send(door, call("group", messageId="g-1", userId="a/b", groupId="acme"), login)

    assert await listed(door) == {"i-1": "invalid_data"}
    assert accounts(door) == {"g-1": "acme", "m-1": "acme"}
    assert await send(door, told) == {"rejected": 1}
    assert len(door.rejections) == 1
