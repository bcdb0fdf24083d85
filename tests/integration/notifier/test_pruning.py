"""What ended long ago goes with all that belongs to it; nothing else does."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import Desk
from tests.support.clock import START
from tests.unit.notifier.builders import a_notification
from tests.unit.notifier.fakes import KEPT, ScriptedChannel

from notifier.adapters.pruning import NotificationPruning
from notifier.domain.delivery import Answer
from notifier.domain.policy import Contacted

DAY = timedelta(days=1)
LATER = START + 400 * DAY


@pytest.fixture
def desk(engine: AsyncEngine) -> Desk:
    """A sender whose messages are kept, refused, put off, and so on again."""
    answers = [KEPT, Answer("refused", "550 no such user", 550), Answer("deferred", "451 later", 451)]
    return Desk(engine, ScriptedChannel(answers))


def pruning(desk: Desk, longest_cap: timedelta = 7 * DAY, chunk: int = 2) -> NotificationPruning:
    """What is kept for 100 days, in small pieces."""
    return NotificationPruning(desk.engine, kept=100 * DAY, longest_cap=longest_cap, chunk=chunk)


async def ids(desk: Desk, table: str, column: str = "notification_id") -> list[str]:
    """Whose rows there are."""
    return [row[0] for row in await rows(desk, f"SELECT DISTINCT {column} FROM {table} ORDER BY 1")]


async def rows(desk: Desk, statement: str) -> Sequence[Any]:
    """What a query finds."""
    async with desk.engine.connect() as connection:
        return (await connection.execute(text(statement))).all()


async def change(desk: Desk, statement: str) -> None:
    """Have it so."""
    async with desk.engine.begin() as tx:
        await tx.execute(text(statement))


async def contacted(desk: Desk, **times: timedelta) -> None:
    """These messages reached somebody so long before LATER."""
    async with desk.open_work() as work:
        await work.history.add([
            Contacted(
                notification_id=id_, account_id="acme", person="jo", at=LATER - ago, priority=0,
                category="health", message_class="marketing",
            )
            for id_, ago in times.items()
        ])  # fmt: skip


async def test_what_has_ended_goes_with_its_attempts_decisions_and_responses(desk: Desk) -> None:
    await desk.take_in(*(a_notification(f"n-{number}") for number in range(3)))
    await desk.round()
    async with desk.open_work() as work:
        for number in range(3):
            await work.responses.first(f"n-{number}", "opened", 0, START)
    tables = ("attempts", "decisions", "responses")
    assert [await ids(desk, each) for each in tables] == [["n-0", "n-1", "n-2"]] * 3
    await pruning(desk).prune(START + 100 * DAY)
    assert await ids(desk, "notifications", "id") == ["n-0", "n-1", "n-2"]
    await pruning(desk).prune(START + 101 * DAY)
    assert [(await desk.detail("n-2")).status, await ids(desk, "notifications", "id")] == ["retry", ["n-2"]]
    assert [await ids(desk, each) for each in tables] == [["n-2"]] * 3


@pytest.mark.parametrize("status", ["pending", "held", "sending", "retry"])
async def test_nothing_goes_that_is_not_final_however_old_it_is(desk: Desk, status: str) -> None:
    await desk.take_in(a_notification())
    await change(desk, f"UPDATE notifications SET status = '{status}'")
    await pruning(desk).prune(START + 4_000 * DAY)
    assert await ids(desk, "notifications", "id") == ["n-1"]


async def test_the_time_counts_from_the_end_not_from_the_request(desk: Desk) -> None:
    await desk.take_in(a_notification())
    await desk.round()
    await change(desk, "UPDATE notifications SET finished_at = finished_at + interval '50 days'")
    await pruning(desk).prune(START + 120 * DAY)
    assert await ids(desk, "notifications", "id") == ["n-1"]
    await pruning(desk).prune(START + 151 * DAY)
    assert await ids(desk, "notifications", "id") == []


async def test_the_items_of_a_digest_stay_as_long_as_it_does_and_go_with_it(desk: Desk) -> None:
    await desk.take_in(*(a_notification(each) for each in ("digest", "item-1", "item-2")))
    await change(
        desk,
        "UPDATE notifications SET wake_at = NULL, status = 'folded', folded_into = 'digest',"
        " finished_at = requested_at WHERE id LIKE 'item%'",
    )
    await pruning(desk).prune(START + 4_000 * DAY)
    assert len(await ids(desk, "notifications", "id")) == 3
    await change(
        desk,
        "UPDATE notifications SET wake_at = NULL, status = 'sent', finished_at = requested_at + interval '9 days'"
        " WHERE id = 'digest'",
    )
    await pruning(desk).prune(START + 105 * DAY)
    assert len(await ids(desk, "notifications", "id")) == 3
    await pruning(desk).prune(START + 110 * DAY)
    assert await ids(desk, "notifications", "id") == []


async def test_what_somebody_has_in_hand_is_left_and_goes_the_next_time(desk: Desk) -> None:
    await desk.take_in(*(a_notification(each) for each in ("digest", "item-1", "item-2")))
    await change(
        desk,
        "UPDATE notifications SET wake_at = NULL, status = 'sent', finished_at = requested_at,"
        " folded_into = nullif('digest', id)",
    )
    async with desk.engine.begin() as somebody:
        await somebody.execute(text("SELECT FROM notifications WHERE id = 'item-1' FOR UPDATE"))
        await pruning(desk).prune(LATER)
        assert await ids(desk, "notifications", "id") == ["item-1"]
    await pruning(desk).prune(LATER)
    assert await ids(desk, "notifications", "id") == []


@pytest.mark.parametrize(("cap", "left"), [(7, ["day-365"]), (380, ["day-365", "day-370"])])
async def test_the_contact_history_is_kept_for_a_year_or_the_longest_cap(
    desk: Desk, cap: int, left: list[str]
) -> None:
    await contacted(
        desk, **{"day-365": 365 * DAY, "day-370": 370 * DAY, "day-390": 390 * DAY, "day-400": 400 * DAY}
    )
    await pruning(desk, cap * DAY, chunk=1).prune(LATER)
    assert await ids(desk, "contacted") == left
