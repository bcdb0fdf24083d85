"""Hysteresis: when a threshold is entered and when it is left. The two strictly alternate, beginning outside."""

from dataclasses import dataclass
from math import inf, nextafter
from typing import Literal

from health_score.domain.scorecard import Threshold

Direction = Literal["entered", "left"]


@dataclass(frozen=True, slots=True)
class ThresholdState:
    """Where an account stands with one threshold.

    `since`: outside, and from when the condition to enter has held. `crossed_at`: when it was last entered or left.
    `sequence` counts the crossings, so each has a number that a repeated evaluation gives again.
    """

    inside: bool = False
    since: float | None = None
    crossed_at: float | None = None
    sequence: int = 0


OUTSIDE = ThresholdState()


def step(
    threshold: Threshold, state: ThresholdState, value: float | None, coverage: float, now: float
) -> tuple[ThresholdState, Direction | None]:
    """The state after looking at `value` (None = unknown) at `now`, and the crossing that this is, if any."""
    if state.inside:
        if value is None or not _recovered(threshold, value):
            return state, None
        return ThresholdState(False, None, now, state.sequence + 1), "left"
    if value is None or coverage < threshold.min_coverage or not _met(threshold, value):
        return (state if state.since is None else _since(state, None)), None
    waiting = state if state.since is not None else _since(state, now)
    if now < ready_at(threshold, waiting):
        return waiting, None
    return ThresholdState(True, None, now, state.sequence + 1), "entered"


def ready_at(threshold: Threshold, state: ThresholdState) -> float:
    """When a threshold whose condition holds will be entered; infinity where it does not hold."""
    if state.inside or state.since is None:
        return inf
    rested = -inf if state.crossed_at is None else state.crossed_at + threshold.cooldown_s
    return max(state.since + threshold.dwell_s, rested)


def corridor(threshold: Threshold, state: ThresholdState, coverage: float) -> tuple[float, float]:
    """The values low ≤ value < high that leave the state as it is."""
    if not state.inside and coverage < threshold.min_coverage:
        return -inf, inf
    level = threshold.exit if state.inside else threshold.enter
    turn = level if threshold.direction == "below" else nextafter(level, inf)
    holding = state.inside or state.since is not None
    return (-inf, turn) if holding == (threshold.direction == "below") else (turn, inf)


def _met(threshold: Threshold, value: float) -> bool:
    return value < threshold.enter if threshold.direction == "below" else value > threshold.enter


def _recovered(threshold: Threshold, value: float) -> bool:
    return value >= threshold.exit if threshold.direction == "below" else value <= threshold.exit


def _since(state: ThresholdState, since: float | None) -> ThresholdState:
    return ThresholdState(False, since, state.crossed_at, state.sequence)
