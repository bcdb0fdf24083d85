"""More waits for a person than one transaction lets go."""

from tests.unit.ingest.door import Door
from tests.unit.ingest.intake.product import send
from tests.unit.ingest.sdk.samples import call

from ingest.application.settlement import RELEASED_AT_ONCE

GROUP = call("group", messageId="g-1", groupId="acme")


async def test_what_was_too_much_at_once_is_let_go_afterwards(door: Door) -> None:
    count = RELEASED_AT_ONCE + 700
    for first in range(0, count, 900):
        await send(door, *(call(messageId=f"m-{number}") for number in range(first, min(count, first + 900))))
    assert len(door.rejections) == count

    await send(door, GROUP)
    assert len(door.rejections) == 700
    await door.handlers.release.round()

    assert not door.rejections
    assert len({each.value for each in door.store.tables.outbox.messages}) == count
    await door.handlers.release.round()
    assert len(door.store.tables.outbox.messages) == count


async def test_who_is_in_no_account_goes_on_waiting(door: Door) -> None:
    await send(door, call(messageId="m-1"))
    await door.handlers.release.round()

    assert len(door.rejections) == 1
