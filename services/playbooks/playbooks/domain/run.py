"""A run: one account on its way through one version of a playbook. Ended runs never change again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from playbooks.domain.steps import StepKind

Status = Literal["active", "completed", "exited", "failed", "cancelled"]
Outcome = Literal[
    "requested", "opened", "updated",  # of what was asked for
    "waited", "skipped", "met", "timed_out",  # of waits
    "taken", "drawn",  # of ways
    "approved", "rejected", "expired",
    "called",
    "ended",
]  # fmt: skip
Awaits = Literal["time", "condition", "approval", "hold", "call"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The state between two steps.

    `position` counts finished steps, `step` is the one at hand (None once it has ended). `awaits` tells what the step at hand
    waits for, and `wake_at` when the wait ends at the latest, decided once; `held` is why a step is held back. `due_at` is when
    to look at the run next: None once it has ended. `lease_until` is set while a worker is out calling for the step at hand, and
    `fence` grows with each such claim: who comes back with an older one is refused. `failures` counts failed attempts at the
    step at hand; `error` is what the last one died of.
    """

    id: str
    playbook: str
    version: int
    account_id: str
    crossing_id: str
    started_at: datetime
    due_at: datetime | None
    purpose: str
    step: str | None
    priority: int = 0
    status: Status = "active"
    position: int = 0
    awaits: Awaits | None = None
    wake_at: datetime | None = None
    held: str | None = None
    held_since: datetime | None = None
    lease_until: datetime | None = None
    fence: int = 0
    failures: int = 0
    error: str | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    exit_crossing_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What became of a step, written once. `path` is the way taken, `reason` why, `ref` the id of the notification, task or
    approval, `until` when a wait was to end, `revision` the snapshot that it was decided on, `known` what its conditions spoke of
    (JSON, member → value)."""

    run_id: str
    position: int
    step: str
    kind: StepKind
    at: datetime
    outcome: Outcome
    path: str | None = None
    reason: str | None = None
    ref: str | None = None
    until: datetime | None = None
    revision: int | None = None
    known: str | None = None


def held_told(run: Run) -> str | None:
    """Since when and why the step at hand is held back, for what is kept of it afterwards."""
    if run.held is None or run.held_since is None:
        return None
    return f"held back since {run.held_since:%Y-%m-%dT%H:%M:%SZ}: {run.held}"


def exit_run(run: Run, reason: str, now: datetime, crossing_id: str | None = None) -> Run:
    """The run ended early, by a crossing or otherwise; whatever it waited for will not happen."""
    if (held := held_told(run)) is not None:
        reason = f"{reason}; its step {run.step} was {held}"
    return replace(_ended(run, "exited", now), reason=reason, exit_crossing_id=crossing_id)


def cancel_run(run: Run, reason: str, now: datetime) -> Run:
    """The run ended by a person."""
    return replace(_ended(run, "cancelled", now), reason=reason)


def complete_run(run: Run, now: datetime, reason: str | None = None) -> Run:
    """The run after its last step."""
    return replace(_ended(run, "completed", now), reason=reason, step=None)


def retry_run(run: Run, now: datetime) -> Run:
    """A failed run at its step again, as if it had just come to it."""
    return replace(
        run, status="active", due_at=now, failures=0, error=None, ended_at=None, reason=None, lease_until=None
    )


def note_failure(run: Run, error: str, retry_after_s: Sequence[float], now: datetime) -> Run:
    """The run after a failed attempt at its step: due again after the schedule's next pause, failed when there is none left."""
    failures = run.failures + 1
    noted = replace(run, failures=failures, error=error, lease_until=None)
    if failures > len(retry_after_s):
        return replace(_ended(noted, "failed", now), reason=f"a step failed {failures} times")
    return replace(noted, due_at=now + timedelta(seconds=retry_after_s[failures - 1]))


def _ended(run: Run, status: Status, now: datetime) -> Run:
    """`step` stays: it tells where the run was, and where a retry takes it up."""
    return replace(
        run,
        status=status,
        ended_at=now,
        due_at=None,
        wake_at=None,
        awaits=None,
        held=None,
        held_since=None,
        lease_until=None,
    )
