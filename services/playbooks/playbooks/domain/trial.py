"""A trial: one entry into a playbook as the measurement of its effect sees it, treated or held out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Arm = Literal["treated", "held_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`id` is the run's; one that is held out has no run. The goal counts from `entered_at` to `window_ends_at` (None where the
    playbook has no goal). `recovered_at` is when the trigger's threshold was crossed back, `revenue` the account's `arr` at
    entry with its `currency`."""

    id: str
    playbook: str
    version: int
    programme: str
    account_id: str
    arm: Arm
    entered_at: datetime
    threshold: str
    direction: str
    window_ends_at: datetime | None = None
    goal_reached_at: datetime | None = None
    recovered_at: datetime | None = None
    revenue: float | None = None
    currency: str | None = None
