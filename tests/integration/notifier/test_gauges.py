"""What an operator watches, looked up in PostgreSQL."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import Desk
from tests.unit.notifier.builders import a_notification
from tests.unit.notifier.fakes import KEPT, ScriptedChannel

from notifier.adapters.gauges import Gauges
from notifier.domain.delivery import Answer

_SUBSCRIPTION = text("""
INSERT INTO subscriptions (id, name, url, wants, created_at, updated_at, status, failing_since)
VALUES (:id, 'CRM', 'https://crm.example.com', '{}', now(), now(), :status, :failing_since)
""")


class Shown(dict[str, float]):
    """A gauge's figures by its labels."""

    def set(self, amount: float, attributes: Mapping[str, str]) -> None:
        """Keep the newest."""
        self[" ".join(attributes.values())] = amount


class Watch:
    """Gauges that a test can read."""

    def __init__(self, desk: Desk) -> None:
        self.due, self.died, self.rests, self.given_up = Shown(), Shown(), Shown(), Shown()
        self.resting: Collection[str] = ()
        self._desk = desk
        self._gauges = Gauges(
            desk.engine, self._now_resting, due_age=self.due, died=self.died, rests=self.rests, given_up=self.given_up
        )  # fmt: skip

    def _now_resting(self, _: datetime) -> Collection[str]:
        return self.resting

    async def look(self, **later: float) -> "Watch":
        """After so much time."""
        self._desk.clock.advance(timedelta(**later))
        await self._gauges.show(self._desk.clock.now())
        return self


@pytest.fixture
def desk(engine: AsyncEngine) -> Desk:
    """A sender whose first message is refused."""
    return Desk(engine, ScriptedChannel([Answer("refused", "550 no such user", 550), KEPT]))


@pytest.fixture
def watch(desk: Desk) -> Watch:
    """Its gauges."""
    return Watch(desk)


async def test_what_waits_for_a_sender_ages_and_what_waits_for_its_time_does_not(
    desk: Desk, watch: Watch
) -> None:
    assert (await watch.look()).due == {"": 0}
    await desk.take_in(a_notification("n-1"))
    await desk.later(seconds=1)
    await desk.take_in(a_notification("n-2"), a_notification("n-3"))
    assert (await watch.look(seconds=40)).due == {"": 40}
    await desk.claim(1)
    assert (await watch.look(seconds=10)).due == {"": 50}
    await desk.claim(1)
    assert (await watch.look(seconds=10)).due == {"": 0}
    assert (await watch.look(minutes=2)).due[""] > 0, "the leases ran out, and nobody came"


async def test_dead_letters_are_counted_for_an_hour_by_what_they_died_of(desk: Desk, watch: Watch) -> None:
    await desk.take_in(a_notification("n-1"), a_notification("n-2", template="broken"), a_notification("n-3"))
    await desk.round()
    assert (await watch.look()).died == {"email refused": 1, "email template": 1}
    assert (await watch.look(hours=2)).died == {"email refused": 0, "email template": 0}


async def test_endpoints_are_shown_while_they_rest_and_as_well_again_afterwards(watch: Watch) -> None:
    watch.resting = ["crm", "mail"]
    assert (await watch.look()).rests == {"crm": 1, "mail": 1}
    watch.resting = ["crm"]
    assert (await watch.look()).rests == {"crm": 1, "mail": 0}


async def test_subscriptions_count_that_were_given_up_not_those_disabled_by_hand(
    desk: Desk, watch: Watch
) -> None:
    assert (await watch.look()).given_up == {"": 0}
    now = desk.clock.now()
    async with desk.engine.begin() as tx:
        for id_, status, since in (("a", "active", now), ("b", "disabled", None), ("c", "disabled", now)):
            await tx.execute(_SUBSCRIPTION, {"id": id_, "status": status, "failing_since": since})
    assert (await watch.look()).given_up == {"": 1}
