"""Whether a playbook does any good: accounts that it treated against those it left alone, and when that may be said.

Only entries whose whole window is over count in a rate. One that reaches its goal early could be counted at once, one that never
does only at the end: counting both as they come makes every rate too high, and the more so the faster a playbook grows.

Nobody is told of a winner early. The plan is made without any data (how many accounts it takes to see a difference worth seeing),
and the verdict is on the first so many accounts of each arm, once. Whoever looks every day looks at the same sample: an answer
that is taken as soon as it comes out well is wrong far more often than one time in twenty (P. Armitage, C. K. McPherson,
B. C. Rowe, Repeated significance tests on accumulating data, J. R. Stat. Soc. A 132 (1969) 235–244).
"""

from dataclasses import dataclass
from typing import Literal

from playbooks.domain.proportions import Interval, Share, newcombe, planned_sizes, wilson

VerdictKind = Literal["no_goal", "no_holdout", "too_small", "no_difference_seen", "helps", "harms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Accounts of an arm, each by its first entry: how many `entered`, of how many the window is over (`matured`) and how many of
    those reached the goal in it (`reached`), how many of the others have already (`reached_early`); and of the first `planned`
    that matured, how many reached it (`planned_reached`)."""

    entered: int = 0
    matured: int = 0
    reached: int = 0
    reached_early: int = 0
    planned: int = 0
    planned_reached: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRate:
    """An arm: `rate` is `goal_reached` of `matured` with its Wilson interval, None while no window is over. `reached_early` are
    those that have reached the goal while their window is still open; they are in no rate yet."""

    entered: int
    matured: int
    goal_reached: int
    reached_early: int
    rate: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplift:
    """Rate of the treated minus rate of the held out, over all that matured, with Newcombe's interval; `relative` is the
    difference as a part of the held out's rate, None where that is 0."""

    difference: float
    interval: Interval
    relative: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """A count for each arm."""

    treated: int
    held_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What may be said. It is on the first `planned` matured accounts of each arm alone, so that looking again changes nothing;
    `missing` is how many each arm still needs. `detect` is the smallest difference worth seeing, `uplift` that of the planned
    sample; None before it is complete. `told` says all of it in a sentence."""

    kind: VerdictKind
    told: str
    detect: float
    planned: Arms | None = None
    missing: Arms | None = None
    uplift: Uplift | None = None


def rate_of(tally: Tally) -> ArmRate:
    """An arm with its rate."""
    share = Share(tally.reached, tally.matured)
    return ArmRate(
        entered=tally.entered,
        matured=tally.matured,
        goal_reached=tally.reached,
        reached_early=tally.reached_early,
        rate=share.value if share.of else None,
        interval=wilson(share) if share.of else None,
    )


def uplift_of(treated: Share, held_out: Share) -> Uplift | None:
    """The difference; None while an arm is empty."""
    if not treated.of or not held_out.of:
        return None
    difference = treated.value - held_out.value
    return Uplift(
        difference=difference,
        interval=newcombe(treated, held_out),
        relative=difference / held_out.value if held_out.hits else None,
    )


def plan(detect: float, share: float) -> Arms:
    """The sample that a verdict needs where `share` of the accounts are held out, to see a difference of `detect`."""
    treated, held_out = planned_sizes(detect, share)
    return Arms(treated=treated, held_out=held_out)


def judge(treated: Tally, held_out: Tally, planned: Arms, detect: float) -> Verdict:
    """The verdict on the planned sample, or how much of it is missing."""
    missing = Arms(
        treated=max(0, planned.treated - treated.planned),
        held_out=max(0, planned.held_out - held_out.planned),
    )
    first, second = (Share(each.planned_reached, each.planned) for each in (treated, held_out))
    uplift = uplift_of(first, second)
    if missing.treated or missing.held_out or uplift is None:
        return Verdict(
            kind="too_small",
            told=_too_small(planned, missing, detect),
            detect=detect,
            planned=planned,
            missing=missing,
        )
    kind = _kind(uplift.interval)
    return Verdict(
        kind=kind,
        told=f"{_CALLED[kind]} {_compared(first, second, uplift)}",
        detect=detect,
        planned=planned,
        missing=missing,
        uplift=uplift,
    )


def no_goal(detect: float) -> Verdict:
    """There is nothing to compare by."""
    told = "Nothing can be said: the playbook has no goal. Give it one, goal: {condition: …, within: 60d}."
    return Verdict(kind="no_goal", told=told, detect=detect)


def no_holdout(detect: float) -> Verdict:
    """There is nobody to compare with."""
    told = (
        "Nothing can be said: no accounts are held out, so nobody knows what would have happened without the playbook."
        " Give it some, holdout: {share: 0.1}."
    )
    return Verdict(kind="no_holdout", told=told, detect=detect)


def _kind(interval: Interval) -> Literal["no_difference_seen", "helps", "harms"]:
    if interval.low > 0:
        return "helps"
    return "harms" if interval.high < 0 else "no_difference_seen"


_CALLED = {"helps": "It helps:", "harms": "It does harm:", "no_difference_seen": "No difference is seen:"}


def _too_small(planned: Arms, missing: Arms, detect: float) -> str:
    return (
        f"Too early to say: to see a difference of {100 * detect:g} points, {planned.treated:,} treated and"
        f" {planned.held_out:,} held-out accounts have to be past their window; {missing.treated:,} treated and"
        f" {missing.held_out:,} held out are missing."
    )


def _compared(treated: Share, held_out: Share, uplift: Uplift) -> str:
    low, high = uplift.interval.low, uplift.interval.high
    return (
        f"{treated.value:.1%} of the first {treated.of:,} treated accounts reached the goal, and"
        f" {held_out.value:.1%} of the first {held_out.of:,} held out; the difference is"
        f" {_points(uplift.difference)} points, and may lie between {_points(low)} and {_points(high)}."
    )


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"
