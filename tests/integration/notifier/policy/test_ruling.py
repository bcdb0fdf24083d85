"""Rulings of many senders at once on PostgreSQL: caps hold whoever decides, and a message keeps what it has reserved."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import START
from tests.support.waiting import eventually
from tests.unit.notifier.builders import a_notification

from notifier.application.handlers.ruling import Case, released, rule
from notifier.application.ports import OpenWork
from notifier.domain.caps import Cap, Reserved
from notifier.domain.policy import ClassRules, Contacted, ContactPolicy, Ruling, Suppression
from notifier.domain.recipients import Recipient

DAY = timedelta(days=1)
POLICY = ContactPolicy(
    classes={
        "internal": ClassRules(),
        "marketing": ClassRules(consent="opt_out", unsubscriptions=True, caps=True),
    },
    caps=(Cap("person", 3, 7 * DAY, Reserved(100, 1)), Cap("account", 8, 7 * DAY)),
)


def a_case(id: str, person: str = "ann", **changes: Any) -> Case:
    """A tip for a person, decided about once a caller comes."""
    fields = {"message_class": "marketing", "category": "adoption", **changes}
    recipient = Recipient("contact", f"{person}@customer.example", person)
    return Case(a_notification(id, **fields), recipient, f"p-{person}")


async def ask(open_work: OpenWork, cases: Sequence[Case]) -> None:
    """Their notifications are there."""
    async with open_work() as work:
        await work.notifications.add([each.notification for each in cases], START)


async def ruled(open_work: OpenWork, *cases: Case, now: datetime = START) -> dict[str, Ruling]:
    """The rulings of one sender."""
    async with open_work() as work:
        return dict(await rule(work, cases, POLICY, now))


async def contacted(engine: AsyncEngine) -> list[Contacted]:
    """The whole history."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT * FROM contacted ORDER BY at, notification_id"))
        return [Contacted(**row._mapping) for row in rows]


@pytest.mark.parametrize("seed", range(3))
async def test_many_senders_at_once_exceed_no_cap_and_keep_nothing_back_that_had_room(
    open_work: OpenWork, engine: AsyncEngine, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    cases = [
        a_case(
            f"n-{number:03}",
            chance.choice("abcdefgh"),
            account_id=f"account-{chance.randrange(4)}",
            priority=chance.choice((-5, 0, 100)),
        )
        for number in range(240)
    ]
    await ask(open_work, cases)
    lots = [cases[start : start + 10] for start in range(0, len(cases), 10)]
    rulings: dict[str, Ruling] = {}

    async def sender(lot: Sequence[Case]) -> None:
        rulings.update(await ruled(open_work, *lot))

    await asyncio.gather(*(sender(lot) for lot in lots))
    sent = await contacted(engine)
    assert {each.notification_id for each in sent} == {
        name for name, each in rulings.items() if each.word == "send"
    }
    by_id = {each.notification.id: each for each in cases}
    for name, ruling in rulings.items():
        case = by_id[name]
        total, ordinary, account = _counted(sent, case)
        assert total <= 3
        assert ordinary <= 2
        assert account <= 8
        if ruling.word == "hold":
            urgent = case.notification.priority >= 100
            assert account == 8 or total == 3 or (ordinary == 2 and not urgent)
            assert ruling.until == START + 7 * DAY


def _counted(sent: Sequence[Contacted], case: Case) -> tuple[int, int, int]:
    to_person = [each for each in sent if each.person == case.person]
    account = sum(each.account_id == case.notification.account_id for each in sent)
    return len(to_person), sum(each.priority < 100 for each in to_person), account


async def test_of_those_decided_together_the_most_urgent_goes_first_then_the_oldest(
    open_work: OpenWork,
) -> None:
    cases = [
        a_case("late", requested_at=START + timedelta(seconds=2)),
        a_case("early", requested_at=START + timedelta(seconds=1)),
        a_case("middle", requested_at=START + timedelta(seconds=1, milliseconds=1)),
        a_case("urgent", priority=100, requested_at=START + timedelta(seconds=3)),
    ]
    await ask(open_work, cases)
    words = {name: each.word for name, each in (await ruled(open_work, *cases)).items()}
    assert words == {"urgent": "send", "early": "send", "middle": "send", "late": "hold"}


async def test_a_retry_keeps_its_place_but_is_decided_about_anew(
    open_work: OpenWork, engine: AsyncEngine
) -> None:
    cases = [a_case("a"), a_case("b"), a_case("c", priority=100)]
    await ask(open_work, [*cases, a_case("d", priority=100)])
    assert {each.word for each in (await ruled(open_work, *cases)).values()} == {"send"}
    later = START + timedelta(minutes=5)
    assert (await ruled(open_work, a_case("d", priority=100), now=later))["d"].word == "hold"
    assert (await ruled(open_work, cases[0], now=later))["a"].word == "send"
    assert [each.at for each in await contacted(engine)] == [START, START, later]
    async with open_work() as work:
        await work.suppressions.add([_a_suppression("unsubscribed")])
    assert (await ruled(open_work, cases[0], now=later))["a"].word == "suppress"
    assert [each.notification_id for each in await contacted(engine)] == ["b", "c"]


async def test_what_reached_nobody_is_free_and_what_may_have_is_not(
    open_work: OpenWork, engine: AsyncEngine
) -> None:
    cases = [a_case("refused"), a_case("unknown")]
    await ask(open_work, cases)
    await ruled(open_work, *cases)
    async with engine.begin() as tx:
        await tx.execute(
            text(
                "INSERT INTO attempts (notification_id, number, started_at, ended_at, outcome)"
                " SELECT outcome, 1, :now, :now, outcome FROM unnest(ARRAY['refused', 'unknown']) AS outcome"
            ),
            {"now": START + timedelta(minutes=2)},
        )
    async with open_work() as work:
        await released(work, ["refused", "unknown"])
    assert [(each.notification_id, each.at) for each in await contacted(engine)] == [
        ("unknown", START + timedelta(minutes=2))
    ]


async def test_what_is_not_capped_is_not_counted(open_work: OpenWork, engine: AsyncEngine) -> None:
    cases = [a_case(f"n-{number}", message_class="internal") for number in range(9)]
    await ask(open_work, cases)
    assert {each.word for each in (await ruled(open_work, *cases)).values()} == {"send"}
    assert await contacted(engine) == []


async def test_every_word_is_written_down_once(open_work: OpenWork, engine: AsyncEngine) -> None:
    cases = [a_case(each) for each in "abcd"]
    await ask(open_work, cases)
    for minutes in range(3):
        await ruled(open_work, *cases, now=START + timedelta(minutes=minutes))
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT notification_id, number, word, rule FROM decisions ORDER BY 1, 2")
        )
        assert [tuple(row) for row in rows][:2] == [("a", 1, "send", "none"), ("b", 1, "send", "none")]
        told = await connection.scalars(text("SELECT DISTINCT number FROM decisions WHERE word = 'send'"))
        assert list(told) == [1]


async def _somebody_waits(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return bool(
            await connection.scalar(
                text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            )
        )


async def test_whoever_unsubscribes_waits_for_those_who_decide(
    open_work: OpenWork, engine: AsyncEngine
) -> None:
    """Who is told that they are unsubscribed gets nothing that begins afterwards."""
    await ask(open_work, [a_case("a"), a_case("b")])
    order = []

    async def unsubscribe() -> None:
        async with open_work() as work:
            await work.suppressions.add([_a_suppression("unsubscribed")])
        order.append("unsubscribed")

    async with open_work() as work:
        await rule(work, [a_case("a")], POLICY, START)
        waiting = asyncio.create_task(unsubscribe())
        await eventually(lambda: _somebody_waits(engine), what="who unsubscribes waits")
        order.append("decided")
    await waiting
    assert order == ["decided", "unsubscribed"]
    assert (await ruled(open_work, a_case("b")))["b"].word == "suppress"


def _a_suppression(reason: Any, category: str | None = None, id: str = "s-1") -> Suppression:
    return Suppression(id=id, person="p-ann", category=category, reason=reason, since=START)


async def test_a_person_who_comes_back_can_leave_again(open_work: OpenWork) -> None:
    async with open_work() as work:
        await work.suppressions.add([_a_suppression("unsubscribed"), _a_suppression("complaint", id="s-2")])
        await work.suppressions.lift("p-ann", None, START)
        assert [each.reason for each in (await work.suppressions.of(["p-ann"]))["p-ann"]] == ["complaint"]
        await work.suppressions.add([_a_suppression("unsubscribed")])
        await work.suppressions.add([_a_suppression("unsubscribed", id="s-3")])
        page = await work.suppressions.page(None, None, None, 10)
        assert [each.id for each in page] == ["s-2", "s-1"]
        assert await work.suppressions.page(None, None, (START, "s-2"), 10) == page[1:]
        assert await work.suppressions.remove("s-2", START)
        assert not await work.suppressions.remove("s-2", START)


async def test_suppressions_are_listed_by_account_and_reason(open_work: OpenWork) -> None:
    ours = Suppression(
        id="s-1", person="p-ann", category=None, reason="manual", since=START, account_id="acme"
    )
    async with open_work() as work:
        await work.suppressions.add([ours, _a_suppression("complaint", id="s-2")])
        assert await work.suppressions.page("acme", None, None, 10) == [ours]
        assert [each.id for each in await work.suppressions.page(None, "complaint", None, 10)] == ["s-2"]
