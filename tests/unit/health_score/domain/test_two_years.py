"""Two years of an account, told by facts now and then and by due looks: each crossing at its second, and no other.

What should be told is found by halving time until nothing can hide in a span: between two facts each measure's value is monotone,
so the numbers that are watched lie between bounds; a span whose bounds touch no level is done with, any other ends up looked at
second by second.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from os import environ
from random import Random
from typing import Any

import pytest
from tests.support.clock import ManualClock
from tests.unit.health_score.domain.examples import DAY, NOW, card, fact, look_at, measure, model_of

from health_score.domain.account import AccountState, fold
from health_score.domain.assessment import Assessment
from health_score.domain.curve import Curve
from health_score.domain.fact import Fact
from health_score.domain.look import assess
from health_score.domain.scorecard import Dimension, Knockout, Threshold
from health_score.domain.signals import (
    ActiveUsers,
    Attainment,
    Count,
    Latest,
    Mean,
    Ratio,
    Recency,
    Selector,
    Trend,
    Until,
)
from health_score.domain.thresholds import OUTSIDE, Direction, ThresholdState, ready_at, step

USED, SAID = Selector(("used",)), Selector(("said",), value="score")
SEATS = Latest(Selector(("told",), value="seats"))
YEARS = 2
Crossed = tuple[str, Direction, float]
Span = tuple[float, float]

CARD = card(
    Dimension(
        "adoption",
        3,
        (
            measure("silence", Recency(USED), 2, Curve(((0, 100), (2, 90), (30, 0)))),
            measure("uses", Count(USED, 14), 1, Curve(((0, 0), (5, 60), (20, 100)))),
            measure("trend", Trend(USED, 7, 28), 1, Curve(((0, 0), (1, 80), (2, 100)))),
            measure("per_seat", Ratio(ActiveUsers(USED, 30), SEATS), 1, Curve(((0, 0), (1, 100)))),
        ),
    ),
    Dimension(
        "outcome",
        2,
        (
            measure("said", Latest(SAID, 120), 1),
            measure("mean", Mean(SAID, 60), 1),
            measure("goals", Attainment(Selector(("goal",)), expires_days=200), 2, Curve(((0, 0), (1, 100)))),
            measure("renewal", Until(Selector(("told",), value="renews")), 1, Curve(((0, 30), (90, 60), (365, 100)))),
        ),
    ),
    thresholds=[
        Threshold("at_risk", "score", enter=50, exit=55, direction="below", dwell_s=2 * DAY),
        Threshold("critical", "score", enter=33, exit=38, direction="below", cooldown_s=20 * DAY),
        Threshold("thriving", "score", enter=70, exit=65, direction="above", min_coverage=0.8),
        Threshold("unused", "dimension:adoption", enter=20, exit=35, direction="below"),
        Threshold("quiet", "measure:silence", enter=14, exit=3, direction="above"),
        Threshold("shrinking", "measure:trend", enter=0.5, exit=0.8, direction="below"),
        Threshold("renewing", "measure:renewal", enter=90, exit=91, direction="below"),
        Threshold("unsure", "coverage", enter=0.7, exit=0.7, direction="below", dwell_s=3_600),
    ],
    knockouts=[
        Knockout("gone", "measure:silence", 40, "above", "at_risk"),
        Knockout("fruitless", "dimension:outcome", 25, "below", "critical"),
    ],
)  # fmt: skip
MODEL = model_of(CARD)


def history(seed: int) -> list[Fact]:
    """Bursts of use with long pauses between, and now and then news of everything else."""
    random, facts, day = Random(seed), [], 0.0  # noqa: S311
    facts.append(told(0.0, seats=5, renews=dated(random.uniform(100, 500))))
    while day < YEARS * 365 - 60:
        for _ in range(random.randint(1, 12)):
            facts.append(fact("used", NOW + int(day * DAY), user_id=random.choice("abcdef")))
            day += random.choice([0.05, 1, 3])
        facts.append(fact("said", NOW + int(day * DAY) + 1, score=random.randint(0, 100)))
        due, current = dated(day + random.uniform(20, 300)), random.randint(0, 6)
        facts.append(
            fact(
                "goal",
                NOW + int(day * DAY) + 2,
                goal_id=random.choice("gh"),
                target=6,
                current=current,
                due=due,
            )
        )
        if random.random() < 0.3:
            facts.append(
                told(day + 0.01, seats=random.randint(2, 9), renews=dated(day + random.uniform(20, 400)))
            )
        if random.random() < 0.3:
            held: dict[str, Any] = {"reason": "known better", "until": dated(day + random.uniform(5, 40))}
            facts.append(fact("csm.override.set", NOW + int(day * DAY) + 3, band="neutral", **held))
        day += random.choice([5, 20, 70])
    return sorted(facts, key=lambda each: each.time)


def told(day: float, **data: Any) -> Fact:
    return fact("told", NOW + int(day * DAY), **data)


def dated(day: float) -> str:
    return datetime.fromtimestamp(NOW + int(day * DAY) + 0.25, UTC).isoformat()


def by_dues(facts: list[Fact], end: float) -> tuple[list[Crossed], int]:
    """A run as the service does it: facts as they come, foretold for a day; due looks by the clock. And how many looks."""
    clock, state, crossed, looks = ManualClock(datetime.fromtimestamp(NOW, UTC)), AccountState("acme"), [], 0
    due: float | None = None
    for each in [*facts, None]:
        until = end if each is None else each.time
        while due is not None and due < until:
            clock.set(datetime.fromtimestamp(due, UTC))
            found = look_at(MODEL, state, clock.now().timestamp(), "timer")
            crossed += [(one.threshold, one.direction, due) for one in found.crossings]
            due, looks = found.due, looks + 1
        if each is not None:
            clock.set(datetime.fromtimestamp(each.time, UTC))
            fold(MODEL, state, each)
            found = look_at(MODEL, state, clock.now().timestamp(), rest_s=timedelta(days=1).total_seconds())
            crossed += [(one.threshold, one.direction, each.time) for one in found.crossings]
            due, looks = found.due, looks + 1
    return crossed, looks


class Halving:
    """All crossings between two facts and the next, found by halving."""

    def __init__(self) -> None:
        self.state = AccountState("acme")
        self.stands: dict[str, ThresholdState] = {}
        self.crossed: list[Crossed] = []

    def look(self, at: float) -> None:
        """Step all thresholds at one second."""
        found = assess(CARD, self.state, at)
        for watch in CARD.watches:
            name = watch.threshold.name
            before, number = self.stands.get(name, OUTSIDE), found.of(watch.target)
            self.stands[name], direction = step(watch.threshold, before, number, found.coverage, at)
            if direction is not None:
                self.crossed.append((name, direction, at))

    def walk(self, start: float, end: float) -> None:
        """The seconds after `start` up to `end`, no fact between them."""
        if end <= start:
            return
        if self._nothing_hides(start, end) or end - start <= 1:
            self.look(end)
        else:
            middle = (start + end) // 2
            self.walk(start, middle)
            self.walk(middle, end)

    def _nothing_hides(self, start: float, end: float) -> bool:
        waits = [
            ready_at(watch.threshold, self.stands.get(watch.threshold.name, OUTSIDE))
            for watch in CARD.watches
        ]
        if any(start < ready <= end for ready in waits):
            return False
        one, other = assess(CARD, self.state, start), assess(CARD, self.state, end)
        if _standing(one) != _standing(other):
            return False
        return not any(
            low - 1e-5 <= level <= high + 1e-5 for (low, high), level in _levels(one, other) if low < high
        )


def _standing(found: Assessment) -> tuple[Any, ...]:
    return found.caps, found.overridden, [name for name, value in found.values.items() if value is None]


def _levels(one: Assessment, other: Assessment) -> Iterator[tuple[Span, float]]:
    """What is watched: between which numbers it runs, and the level that must not lie there."""
    values = {
        name: _ordered(value, other.values[name]) for name, value in one.values.items() if value is not None
    }
    points = {
        each.name: _points(each.curve, values[each.name])
        for each in CARD.reads
        if each.name in values and each.curve
    }
    dimensions: dict[str, Span] = {}
    for each in CARD.card.dimensions:
        weights = {one_.name: one_.weight for one_ in each.measures if one_.name in points}
        if weights:
            dimensions[each.name] = _weighed(weights, points)
    score = _weighed(
        {each.name: each.weight for each in CARD.card.dimensions if each.name in dimensions}, dimensions
    )
    spans = {"score": score, **{f"dimension:{name}": span for name, span in dimensions.items()}}
    spans |= {f"measure:{name}": span for name, span in values.items()}
    for threshold in CARD.card.thresholds:
        if threshold.target in spans:
            yield spans[threshold.target], threshold.enter
            yield spans[threshold.target], threshold.exit
    for knockout in CARD.card.knockouts:
        if knockout.target in spans:
            yield spans[knockout.target], knockout.level


def _ordered(one: float | None, other: float | None) -> Span:
    assert one is not None
    assert other is not None
    return min(one, other), max(one, other)


def _points(curve: Curve, span: Span) -> Span:
    low, high = span
    found = [curve.points(low), curve.points(high), *(y for x, y in curve.knots if low < x < high)]
    return min(found), max(found)


def _weighed(weights: dict[str, float], spans: dict[str, Span]) -> Span:
    total = sum(weights.values())
    low = sum(weight * spans[name][0] for name, weight in weights.items()) / total
    return low, sum(weight * spans[name][1] for name, weight in weights.items()) / total


def by_halving(facts: list[Fact], end: float) -> list[Crossed]:
    """All crossings up to the end."""
    found, now = Halving(), facts[0].time - 1
    for each in facts:
        if found.state.folded:
            found.walk(now, each.time - 1)
        fold(MODEL, found.state, each)
        found.look(each.time)
        now = each.time
    found.walk(now, end - 1)
    return found.crossed


@pytest.mark.parametrize("seed", range(12 if "PROPERTY_EXAMPLES" in environ else 2))
def test_two_years_of_decay_are_told_to_the_second(seed: int) -> None:
    facts, end = history(seed), NOW + YEARS * 365 * DAY
    crossed, looks = by_dues(facts, end)
    assert crossed == by_halving(facts, end)
    assert len(crossed) >= 12
    assert {name for name, _, _ in crossed} >= {"at_risk", "quiet", "shrinking"}
    assert looks < 8 * len(facts)


def test_what_hides_nothing_by_halving_hides_nothing_by_the_second() -> None:
    facts = history(0)[:12]
    end = facts[-1].time + DAY / 2
    found, start = Halving(), facts[-1].time
    for each in facts:
        fold(MODEL, found.state, each)
        found.look(each.time)
    seconds = Halving()
    seconds.state, seconds.stands = found.state, dict(found.stands)
    found.crossed.clear()
    found.walk(start, end)
    for second in range(int(start) + 1, int(end) + 1, 7):
        seconds.look(float(second))
    assert [(name, direction) for name, direction, _ in seconds.crossed] == [
        each[:2] for each in found.crossed
    ]
