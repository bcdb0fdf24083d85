"""`attainment`: how far the customer is on the way to the goals the product was bought for, 0…1.

A goal's progress is (current - baseline) / (target - baseline), held to 0…1. What matters is whether it is where it should
be: a goal with a date is planned to come nearer evenly, from the first news of it (or its `start`) to `due`; where the plan
says how far it should be by now (`expected`, in the metric's unit), that counts; a goal without either is planned to be
reached, and with `whole` each is. So attained = 1 - what is missing to the plan: 1 - max(0, planned - progress). What the
customer has not confirmed counts `unconfirmed` of its worth; a goal without numbers counts 1 once the customer has confirmed
it, 0 before. The number is the mean of the goals by their weights; a goal of weight 0 does not count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum, inf
from typing import Any, ClassVar, NamedTuple

from health_score.domain.fact import Fact
from health_score.domain.forms import DAY_S, Form, Still
from health_score.domain.signals.base import Span, require_days
from health_score.domain.signals.selector import Selector, number
from health_score.domain.signals.until import moment

_NUMBERS = ("baseline", "target", "current", "weight", "expected", "confirmed_by_customer")
_DATES = ("start", "due")

Told = tuple[float, str, float]
"""Event time, event id, and the field's value (a date in epoch seconds)."""


@dataclass(slots=True)
class GoalState:
    """The first time anything was heard of a goal, and its newest told fields."""

    first: float
    told: dict[str, Told]


@dataclass(slots=True)
class AttainmentState:
    """Goals by id, and the newest news of all."""

    goals: dict[str, GoalState]
    newest: float


class Pace(NamedTuple):
    """A goal that falls behind its plan while nothing is heard of it; `share` is its part of the number at best."""

    share: float
    progress: float
    start: float
    due: float

    def attained(self, now: float) -> float:
        """1 - what is missing to the plan, times its share."""
        planned = min(1.0, (now - self.start) / (self.due - self.start))
        return self.share * (1.0 - max(0.0, planned - self.progress))


class Paces(NamedTuple):
    """The form of several goals: what stands still, and what falls behind while time goes by."""

    still: float
    paces: tuple[Pace, ...]

    @property
    def moves(self) -> bool:
        """Whether time moves it."""
        return True

    def value(self, now: float) -> float:
        """The weighed mean."""
        return fsum([self.still, *[each.attained(now) for each in self.paces]])

    def bend(self, one: float, other: float) -> float:
        """It strays no further than it moves."""
        return abs(one - other)


@dataclass(frozen=True, slots=True)
class Attainment:
    """The attainment of the goals that `csm.goal.changed` (or another type with its fields) tells of."""

    select: Selector
    item: str = "goal_id"
    unconfirmed: float = 0.8
    expires_days: float | None = None
    whole: bool = False

    state_type: ClassVar[type] = AttainmentState

    def __post_init__(self) -> None:
        if not self.item:
            raise ValueError("item must name the field that holds the goal's id")
        if self.select.value is not None:
            raise ValueError("attainment reads the fields of a goal: value does not apply")
        if not 0.0 <= self.unconfirmed <= 1.0:
            raise ValueError("unconfirmed must be from 0 to 1")
        if self.expires_days is not None:
            require_days("expires_days", self.expires_days)

    def fold(self, state: AttainmentState | None, fact: Fact) -> AttainmentState | None:
        """Take over what the fact tells of its goal."""
        goal = fact.data.get(self.item)
        if not isinstance(goal, str):
            return state
        if state is None:
            state = AttainmentState({}, fact.time)
        told = {name: (fact.time, fact.id, value) for name, value in _read(fact.data).items()}
        self._take(state, goal, GoalState(fact.time, told))
        return state

    def merge(self, state: AttainmentState, other: AttainmentState) -> AttainmentState:
        """What either was told, the newer winning field by field."""
        for goal, heard in other.goals.items():
            self._take(state, goal, heard)
        state.newest = max(state.newest, other.newest)
        return state

    def _take(self, state: AttainmentState, goal: str, heard: GoalState) -> None:
        known = state.goals.setdefault(goal, GoalState(heard.first, {}))
        known.first = min(known.first, heard.first)
        for name, told in heard.told.items():
            if name not in known.told or told[:2] > known.told[name][:2]:
                known.told[name] = told
        state.newest = max(state.newest, heard.first)

    def form(self, state: AttainmentState) -> Form:
        """Goals with a date fall behind while nothing is heard of them."""
        weights = {goal: _number(each, "weight", 1.0) for goal, each in state.goals.items()}
        counting = {goal: weight for goal, weight in weights.items() if weight > 0.0}
        total = fsum(counting.values())
        paths = [self._path(state.goals[goal], weight / total) for goal, weight in counting.items()]
        still = fsum(path for path in paths if not isinstance(path, Pace))
        paces = tuple(path for path in paths if isinstance(path, Pace))
        return Paces(still, paces) if paces else Still(still)

    def _path(self, goal: GoalState, weight: float) -> Pace | float:
        """A goal's way through time, or what it brings at any time."""
        confirmed = _number(goal, "confirmed_by_customer", 0.0) > 0.0
        share = weight if confirmed else weight * self.unconfirmed
        if "target" not in goal.told or "current" not in goal.told:
            return weight if confirmed else 0.0
        progress = _progress(goal, "current")
        if self.whole:
            return share * progress
        if "expected" in goal.told:
            return share * (1.0 - max(0.0, _progress(goal, "expected") - progress))
        start, due = _number(goal, "start", goal.first), _number(goal, "due", -inf)
        if progress >= 1.0 or due <= start:
            return share * progress
        return Pace(share, progress, start, due)

    def span(self, state: AttainmentState) -> Span:
        """While there is a goal that counts, until `expires_days` after the newest news."""
        if not any(_number(each, "weight", 1.0) > 0.0 for each in state.goals.values()):
            return inf, inf
        return -inf, inf if self.expires_days is None else state.newest + self.expires_days * DAY_S


def _read(data: Mapping[str, Any]) -> dict[str, float]:
    found = {name: number(data.get(name)) for name in _NUMBERS}
    found |= {name: moment(data.get(name)) for name in _DATES}
    return {name: value for name, value in found.items() if value is not None}


def _number(goal: GoalState, name: str, otherwise: float) -> float:
    return goal.told[name][2] if name in goal.told else otherwise


def _progress(goal: GoalState, name: str) -> float:
    """How far the value of a field lies from the baseline to the target, 0…1."""
    value, target = goal.told[name][2], goal.told["target"][2]
    baseline = _number(goal, "baseline", 0.0)
    if target == baseline:
        return 1.0 if value >= target else 0.0
    return min(1.0, max(0.0, (value - baseline) / (target - baseline)))
