"""Digests on PostgreSQL: what waits for one is told once, in one message, whoever looks at it."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, time
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import RULES, Desk
from tests.support.clock import START
from tests.unit.notifier.builders import KIM, a_notification, an_entry

from notifier.application.delivery_rules import DeliveryRules
from notifier.domain.digest import DigestTime
from notifier.domain.notification import Notification
from notifier.domain.policy import ClassRules, ContactPolicy, Suppression

POLICY = ContactPolicy(
    classes={"internal": ClassRules(unsubscriptions=True)},
    class_digests={"internal": DigestTime(time(8, 30))},
)
DIGESTED = DeliveryRules(retries=RULES.retries, lease=RULES.lease, contact_policy=POLICY)
MORNING = datetime(2026, 3, 3, 8, 30, tzinfo=UTC)


@pytest.fixture
def desk(engine: AsyncEngine) -> Desk:
    """A sender under a policy with a digest."""
    return Desk(engine, rules=DIGESTED)


def asked(*ids: str, **changes: Any) -> list[Notification]:
    """Messages for Kim."""
    return [a_notification(each, **changes) for each in ids]


def told(desk: Desk) -> list[list[str]]:
    """The messages that went out, each with what it tells."""
    return [
        [item["notification_id"] for item in message.begun.notification.context.get("items", [])]
        or [message.begun.notification.id]
        for message in desk.channel.sent
    ]


async def statuses(engine: AsyncEngine) -> Counter[str]:
    """How many notifications are in each status."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT status, count(*) FROM notifications GROUP BY 1"))
        return Counter({row[0]: row[1] for row in rows})


async def test_what_waits_is_told_in_one_message_the_most_urgent_first(desk: Desk) -> None:
    await desk.take_in(*asked("a", "b"), *asked("c", priority=5))
    await desk.round()
    assert desk.channel.sent == []
    assert (await desk.detail("a")).held_by == "digest"
    desk.clock.set(MORNING)
    await desk.round()
    await desk.round()
    assert told(desk) == [["c", "a", "b"]]
    digest = desk.channel.sent[0].begun.notification
    assert (digest.kind, digest.template, digest.priority) == ("digest", "digest", 5)
    detail = await desk.detail("a")
    assert (detail.status, detail.folded_into, detail.next_attempt_at) == ("folded", digest.id, None)
    assert detail.reason == f"told in the digest {digest.id}"


async def test_one_alone_goes_on_as_itself(desk: Desk) -> None:
    await desk.take_in(*asked("a"))
    await desk.round()
    desk.clock.set(MORNING)
    await desk.round()
    assert told(desk) == [["a"]]


async def test_the_others_of_a_person_come_along_however_few_are_looked_at(desk: Desk) -> None:
    await desk.take_in(*asked("a", "b", "c", "d"))
    await desk.round()
    desk.clock.set(MORNING)
    await desk.round(limit=1)
    await desk.round()
    assert [sorted(each) for each in told(desk)] == [["a", "b", "c", "d"]]


async def test_persons_have_digests_of_their_own(desk: Desk) -> None:
    async with desk.open_work() as work:
        await work.directory.record(
            [an_entry("lee", account_id="beta", email="lee@vendor.example", role="owner")]
        )
    await desk.take_in(*asked("a", "b"), *asked("c", "d", account_id="beta", context={}))
    await desk.round()
    desk.clock.set(MORNING)
    await desk.round()
    await desk.round()
    assert sorted(sorted(each) for each in told(desk)) == [["a", "b"], ["c", "d"]]


async def test_what_a_person_wants_no_more_stands_in_no_digest(desk: Desk) -> None:
    await desk.take_in(*asked("a", "b"), *asked("c", category="billing"))
    await desk.round()
    async with desk.open_work() as work:
        no = Suppression(
            id="s", person=f"person:{KIM.email}", category="billing", reason="unsubscribed", since=START
        )
        await work.suppressions.add([no])
    desk.clock.set(MORNING)
    await desk.round()
    await desk.round()
    assert told(desk) == [["a", "b"]]
    assert (await desk.detail("c")).status == "suppressed"


async def test_a_digest_that_has_not_begun_takes_more_in(desk: Desk) -> None:
    """Another sender had them in hand while the digest was made."""
    await desk.take_in(*asked("a", "b", "c"))
    await desk.round()
    desk.clock.set(MORNING)
    async with desk.open_work() as other:
        held = await other.tx.scalar(  # type: ignore[attr-defined]
            text("SELECT id FROM notifications WHERE id = 'c' FOR UPDATE")
        )
        assert held == "c"
        assert await desk.claim() == []
    await desk.round(limit=1)
    await desk.round()
    assert [sorted(each) for each in told(desk)] == [["a", "b", "c"]]


@pytest.mark.parametrize("limit", [3, 7])
async def test_two_senders_at_once_tell_each_message_once(engine: AsyncEngine, limit: int) -> None:
    one, two = Desk(engine, rules=DIGESTED), Desk(engine, rules=DIGESTED, owner="sender-2")
    ids = [f"n-{number:02}" for number in range(40)]
    await one.take_in(*asked(*ids))
    for _ in range(4):
        await one.round()

    async def work(desk: Desk) -> None:
        desk.clock.set(MORNING)
        for _ in range(12):
            await desk.round(limit)

    await asyncio.gather(work(one), work(two))
    everything = [name for message in told(one) + told(two) for name in message]
    assert sorted(everything) == ids
    counted = await statuses(engine)
    assert counted.keys() == {"sent", "folded"}
    assert counted["sent"] <= 4
