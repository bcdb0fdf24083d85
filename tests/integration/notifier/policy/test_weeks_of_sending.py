"""Two weeks of two senders on PostgreSQL under a policy of everything, with a mail server of all moods; arrivals are counted."""

import asyncio
import random
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import RULES, Desk
from tests.support.clock import START, ManualClock
from tests.unit.notifier.builders import a_notification, an_entry
from tests.unit.notifier.fakes import KEPT, ScriptedChannel

from notifier.application.delivery_rules import DeliveryRules
from notifier.application.ports import Outgoing
from notifier.domain.caps import Cap, Reserved
from notifier.domain.delivery import Answer
from notifier.domain.digest import DigestTime
from notifier.domain.local_times import WorkingDays
from notifier.domain.notification import Notification, Wanted
from notifier.domain.policy import ClassRules, ContactPolicy, Suppression
from notifier.domain.quiet_hours import QuietHours

DAY = timedelta(days=1)
PEOPLE = {
    "ann": "Europe/Berlin",
    "bob": "America/New_York",
    "cy": "Asia/Kathmandu",
    "dee": "Australia/Lord_Howe",
}
ACCOUNTS = ("acme", "beta")
HOURS = QuietHours(time(19), time(8), WorkingDays())
CAPS = (
    Cap("person", 2, DAY, Reserved(100, 1)),
    Cap("person", 5, 7 * DAY, Reserved(100, 2)),
    Cap("account", 12, 7 * DAY),
)
POLICY = ContactPolicy(
    classes={
        "internal": ClassRules(),
        "marketing": ClassRules(consent="opt_out", unsubscriptions=True, caps=True, quiet_hours=True),
    },
    caps=CAPS,
    quiet_hours=HOURS,
    category_digests={"tips": DigestTime(time(9))},
)
ANSWERS = [
    KEPT,
    KEPT,
    KEPT,
    Answer("deferred", "Later", 451),
    Answer("refused", "Never", 550),
    Answer("unknown", "Lost"),
]


class MoodyChannel(ScriptedChannel):
    """Takes some messages, and tells of each when it came; `unknown` are taken, too."""

    def __init__(self, clock: ManualClock, chance: random.Random) -> None:
        super().__init__()
        self.clock, self.chance = clock, chance
        self.arrived: list[tuple[datetime, Outgoing]] = []

    async def send(self, message: Outgoing) -> Answer:
        """Any answer."""
        await asyncio.sleep(0)
        answer = self.chance.choice(ANSWERS)
        if answer.outcome in ("accepted", "unknown"):
            self.arrived.append((self.clock.now(), message))
        return answer


@pytest.mark.parametrize("seed", range(2))
async def test_nobody_gets_more_than_the_policy_says_or_at_another_time(
    engine: AsyncEngine, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    clock = ManualClock()
    channel = MoodyChannel(clock, chance)
    rules: DeliveryRules = replace(RULES, contact_policy=POLICY)
    desks = [Desk(engine, channel, clock, rules, owner=f"sender-{number}") for number in range(2)]
    await _know_everybody(desks[0])
    left_at: datetime | None = None
    asked = 0
    for hour in range(0, 15 * 24, 4):
        clock.set(START + timedelta(hours=hour, minutes=chance.randrange(60)))
        wanted = [_wanted(chance, asked + number, clock.now()) for number in range(chance.randrange(5))]
        asked += len(wanted)
        await desks[0].ask(*wanted)
        if left_at is None and hour > 8 * 24:
            left_at = clock.now()
            async with desks[0].open_work() as work:
                await work.suppressions.add([_no_more("ann", left_at)])
        for _ in range(3):
            await asyncio.gather(*(desk.round(7) for desk in desks))
    _check(channel.arrived, left_at)
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT status, count(*) FROM notifications GROUP BY 1"))
        assert {"sent", "folded", "held", "suppressed", "failed"} <= {row[0] for row in rows}


async def _know_everybody(desk: Desk) -> None:
    async with desk.open_work() as work:
        await work.directory.record(
            [
                an_entry(
                    person, account_id=account, email=f"{person}@customer.example", timezone=PEOPLE[person]
                )
                for person in PEOPLE
                for account in ACCOUNTS
            ]
        )


def _wanted(chance: random.Random, number: int, now: datetime) -> Notification:
    fields: dict[str, Any] = {
        "account_id": chance.choice(ACCOUNTS),
        "category": chance.choice(("tips", "renewal")),
        "message_class": chance.choice(("marketing", "marketing", "internal")),
        "priority": chance.choice((0, 0, 100)),
        "if_held": chance.choice(("later", "later", "drop")),
        "recipients": (Wanted("contact", chance.choice(list(PEOPLE))),),
        "requested_at": now,
    }
    return a_notification(f"n-{number:04}", **fields)


def _no_more(person: str, now: datetime) -> Suppression:
    return Suppression(
        id="s", person=f"person:{person}@customer.example", category=None, reason="unsubscribed", since=now
    )


def _check(arrived: list[tuple[datetime, Outgoing]], left_at: datetime | None) -> None:
    first: dict[str, tuple[datetime, str, Notification]] = {}
    for at, message in arrived:
        notification = message.begun.notification
        if notification.message_class != "marketing":
            continue
        person = message.begun.recipient.contact_id or ""
        assert not HOURS.quiet(at, ZoneInfo(PEOPLE[person]))
        assert person != "ann" or left_at is None or at < left_at
        first.setdefault(notification.id, (at, person, notification))
    counted = list(first.values())
    assert len(counted) > 20
    for cap in CAPS:
        for at, person, notification in counted:
            window = [
                other.priority
                for when, whom, other in counted
                if at <= when < at + cap.within
                and (whom == person if cap.per == "person" else other.account_id == notification.account_id)
            ]
            assert len(window) <= cap.limit
            if cap.reserved is not None:
                ordinary = [each for each in window if each < cap.reserved.priority]
                assert len(ordinary) <= cap.limit - cap.reserved.slots
