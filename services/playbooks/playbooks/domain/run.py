"""A run: one account on its way through one version of a playbook. Ended runs never change again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from playbooks.domain.steps import StepKind

Status = Literal["active", "completed", "exited", "failed"]
Outcome = Literal["requested", "waited", "opened", "updated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The state between two steps.

    `position` counts finished steps. `wake_at` is when the wait at hand ends, decided once. `due_at` is when to look at the run
    next: None once it has ended. `failures` counts failed attempts at the step at hand; `error` is what the last one died of.
    """

    id: str
    playbook: str
    version: int
    account_id: str
    crossing_id: str
    started_at: datetime
    due_at: datetime | None
    status: Status = "active"
    position: int = 0
    wake_at: datetime | None = None
    failures: int = 0
    error: str | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    exit_crossing_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What became of a step, written once. `ref` is the id of the notification or the task, `until` when a wait ended."""

    run_id: str
    position: int
    step: str
    kind: StepKind
    at: datetime
    outcome: Outcome
    ref: str | None = None
    until: datetime | None = None


def exit_run(run: Run, reason: str, crossing_id: str, now: datetime) -> Run:
    """The run ended early by a crossing; whatever it waited for will not happen."""
    return replace(_ended(run, "exited", now), reason=reason, exit_crossing_id=crossing_id)


def complete_run(run: Run, now: datetime) -> Run:
    """The run after its last step."""
    return _ended(run, "completed", now)


def note_failure(run: Run, error: str, retry_after_s: Sequence[float], now: datetime) -> Run:
    """The run after a failed attempt at its step: due again after the schedule's next pause, failed when there is none left."""
    failures = run.failures + 1
    noted = replace(run, failures=failures, error=error)
    if failures > len(retry_after_s):
        return replace(_ended(noted, "failed", now), reason=f"a step failed {failures} times")
    return replace(noted, due_at=now + timedelta(seconds=retry_after_s[failures - 1]))


def _ended(run: Run, status: Status, now: datetime) -> Run:
    return replace(run, status=status, ended_at=now, due_at=None, wake_at=None)
