"""A trial: one entry into a playbook as the measurement of its effect sees it, treated or held out."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Arm = Literal["treated", "held_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`id` is the run's; one that is held out has no run. The trigger was crossed at `crossed_at`, and the engine took it in at
    `entered_at`, a little later, or much later after an outage: from then on a treated account is treated. The goal counts from
    `entered_at` to `window_ends_at` (None where the playbook has no goal). `recovered_at` is when the trigger's threshold was
    crossed back, not before `entered_at`. `revenue` is the account's `arr` at entry with its `currency`.
    """

    id: str
    playbook: str
    version: int
    programme: str
    account_id: str
    arm: Arm
    crossed_at: datetime
    entered_at: datetime
    threshold: str
    direction: str
    window_ends_at: datetime | None = None
    goal_reached_at: datetime | None = None
    recovered_at: datetime | None = None
    revenue: float | None = None
    currency: str | None = None


def with_goal(trial: Trial, seen_at: datetime) -> Trial:
    """The trial after the goal was seen to hold at `seen_at`: the first time inside the window counts, and once.

    What held since the crossing, before the engine came to it, held at the entry.
    """
    if trial.goal_reached_at is not None or trial.window_ends_at is None:
        return trial
    if not trial.crossed_at <= seen_at <= trial.window_ends_at:
        return trial
    return replace(trial, goal_reached_at=max(seen_at, trial.entered_at))


def with_way_back(trial: Trial, threshold: str, direction: str, occurred_at: datetime) -> Trial:
    """The trial after a crossing of its account: the first one back over the trigger's threshold is the recovery."""
    back = threshold == trial.threshold and direction != trial.direction
    if trial.recovered_at is not None or not back or occurred_at < trial.crossed_at:
        return trial
    return replace(trial, recovered_at=max(occurred_at, trial.entered_at))
