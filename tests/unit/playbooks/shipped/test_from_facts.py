"""From facts to people: the shipped scorecards judge, and the shipped playbooks act on what they tell, both by their own code."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.unit.health_score.cards.test_shipped_scorecards import MODEL
from tests.unit.health_score.domain.examples import fact
from tests.unit.playbooks.shipped.story import MONDAY, Diary

from csm_common.contracts.health import AccountSnapshot, Crossing
from health_score.application.messages import encode_snapshot, snapshot_of, stored_crossings
from health_score.domain.account import AccountState, fold
from health_score.domain.evaluation import Cause, Evaluation, evaluate
from playbooks.application.model import ReceivedCrossing, ReceivedSnapshot
from playbooks.application.simulation import News
from playbooks.application.simulation_people import People

DAY = 86_400.0
START = MONDAY.timestamp()

Told = tuple[float, str, dict[str, Any]]
"""Day, type, data."""


class Line(Diary):
    """An account of which facts are told, from the import of its history on."""

    def __init__(self, history: Iterable[Told]) -> None:
        super().__init__(People())
        self._state = AccountState("acme")
        self._due: float | None = None
        for told in [*history, (0.0, "csm.backfill.ended", {})]:
            self._fold(told, backfill=told[1] != "csm.backfill.ended")

    async def live(self, *told: Told, until: float) -> None:
        """Each fact on its day, and time until a day."""
        await self._look(START, Cause())
        for each in sorted(told, key=lambda each: each[0]):
            await self._pass(START + each[0] * DAY)
            self._fold(each)
            await self._look(START + each[0] * DAY, Cause())
        await self._pass(START + until * DAY)

    def _fold(self, told: Told, *, backfill: bool = False) -> None:
        day, type_, data = told
        fold(MODEL, self._state, fact(type_, START + day * DAY, backfill=backfill, **data))

    async def _pass(self, until: float) -> None:
        while self._due is not None and self._due <= until:
            await self._look(self._due, Cause("timer"))
        await self._simulator.advance(datetime.fromtimestamp(until, UTC))

    async def _look(self, at: float, cause: Cause) -> None:
        await self._simulator.advance(datetime.fromtimestamp(at, UTC))
        found = evaluate(MODEL, self._state, at, cause)
        self._due = found[-1].due
        for each in found:
            if each.changed:
                await self._simulator.feed(_news(self._state, each))


def _news(state: AccountState, found: Evaluation) -> News:
    """What the other service reads of it, from its bytes."""
    snapshot = snapshot_of(state, found)
    encoded = encode_snapshot(snapshot)
    return News(
        snapshots=[
            ReceivedSnapshot(snapshot=msgspec.json.decode(encoded, type=AccountSnapshot), data=encoded)
        ],
        crossings=[
            ReceivedCrossing(
                id=each.id, crossing=msgspec.json.decode(each.crossing, type=Crossing), data=each.crossing
            )
            for each in stored_crossings(snapshot, found)
        ],
    )


def uses(first: int, last: int, *, people: int = 3) -> list[Told]:
    """Each of so many people uses the product once a day."""
    return [
        (day, "csm.usage.recorded", {"feature": "report", "user_id": f"u{number}"})
        for day in range(first, last)
        for number in range(people)
    ]


def day(number: int) -> str:
    return (MONDAY + timedelta(days=number)).date().isoformat()


PROFILE: Told = (-60, "csm.account.changed", {"name": "Acme", "owner": "dana", "timezone": "Europe/Berlin"})
IN_USE = uses(1, 14)
TICKET = {"ticket_id": "t1", "status": "open", "priority": "urgent", "escalated": True}
GOAL = {"goal_id": "g1", "target": 10, "current": 4, "due": day(60)}
CHAMPION = {"contact_id": "kim", "role": "champion", "active": True}

CASES: dict[str, tuple[Sequence[Told], Sequence[Told]]] = {
    "account_at_risk": ([], [(1, "csm.ticket.changed", TICKET | {"ticket_id": f"t{n}"}) for n in range(4)]),
    "account_critical": (
        [],
        [(14, "csm.ticket.changed", TICKET | {"ticket_id": f"t{n}"}) for n in range(9)]
        + [(14, "csm.survey.answered", {"kind": "nps", "score": 0})]
        + [(14, "csm.invoice.changed", {"invoice_id": f"i{n}", "status": "failed"}) for n in range(3)],
    ),
    "onboarding_stalled": ([(-60, "csm.account.changed", {"stage": "onboarding"})], []),
    "usage_falling": ([], uses(1, 20, people=1)[::3]),
    "champion_left": (
        [(-9, "csm.contact.changed", CHAMPION)],
        [*IN_USE, (1, "csm.contact.changed", CHAMPION | {"active": False})],
    ),
    "support_escalated": ([], [*IN_USE, (1, "csm.ticket.changed", TICKET)]),
    "nps_detractor": ([], [*IN_USE, (1, "csm.survey.answered", {"kind": "nps", "score": 6})]),
    "nps_promoter": ([], [*IN_USE, (1, "csm.survey.answered", {"kind": "nps", "score": 9})]),
    "renewal": ([(-60, "csm.account.changed", {"renewal_date": day(95)})], IN_USE),
    "notice_due": (
        [(-60, "csm.subscription.changed", {"subscription_id": "s1", "notice_by": day(35)})],
        IN_USE,
    ),
    "payment_failed": ([], [*IN_USE, (1, "csm.invoice.changed", {"invoice_id": "i1", "status": "failed"})]),
    "licences_nearly_used": ([(-60, "csm.account.changed", {"seats": 4})], [*uses(1, 14, people=4)]),
    "goal_reached": (
        [(-30, "csm.goal.changed", GOAL)],
        [*IN_USE, (1, "csm.goal.changed", {"goal_id": "g1", "current": 10})],
    ),
    "goal_at_risk": ([(-30, "csm.goal.changed", GOAL | {"due": day(20)})], IN_USE),
    "business_review": ([(-177, "csm.touchpoint.occurred", {"touchpoint": "kickoff"})], IN_USE),
}


@pytest.mark.parametrize("name", sorted(CASES))
async def test_facts_alone_start_each_playbook_and_its_owner_hears_of_it(name: str) -> None:
    history, live = CASES[name]
    line = Line([PROFILE, *uses(-60, 1), *history])
    await line.live(*live, until=20)
    assert any(each.endswith(("tell_owner", "write_to_billing")) for each in await line.heard(name))


async def test_an_import_tells_nobody_anything() -> None:
    told = [each for history, live in CASES.values() for each in (*history, *live) if each[0] <= 1]
    line = Line([PROFILE, *uses(-60, -20), *((min(at, 0.0), type_, data) for at, type_, data in told)])
    await line.live(until=0.1)
    assert await line.heard() == []


async def test_a_goal_that_is_reached_after_all_ends_the_worry_and_begins_the_praise() -> None:
    line = Line([PROFILE, *uses(-60, 1), (-30, "csm.goal.changed", GOAL | {"due": day(20)})])
    await line.live(*IN_USE, (10, "csm.goal.changed", {"goal_id": "g1", "current": 10}), until=12)
    assert await line.ends() == {"goal_at_risk": "exited", "goal_reached": "active"}
