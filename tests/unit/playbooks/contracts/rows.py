"""Rows for the contracts: what a table refers to is written with it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.support.clock import START
from tests.unit.playbooks.builders import a_crossing, a_definition, received

from playbooks.application.model import Approval, Entry, Task
from playbooks.application.ports import Store
from playbooks.domain.run import Run, StepResult

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class UndoneError(Exception):
    """Raised to roll a transaction back."""


async def with_runs(store: Store, *runs: Run) -> None:
    """The runs, with the playbooks and crossings they refer to."""
    names = sorted({run.playbook for run in runs})
    await store.playbooks.ship([a_definition(name) for name in names], START)
    crossings = {run.crossing_id: received(run.crossing_id, a_crossing(run.account_id)) for run in runs}
    await store.crossings.remember(list(crossings.values()), START)
    await store.runs.add(runs)


def ids(runs: Sequence[Run]) -> list[str]:
    """Which runs these are."""
    return [run.id for run in runs]


def a_task(task_id: str = "task-1", **members: Any) -> Task:
    """Maria is to call acme tomorrow."""
    task = Task(
        id=task_id,
        account_id="acme",
        type="follow_up",
        title="Call them",
        reason="at_risk",
        owner="maria",
        due_at=START + DAY,
        run_id="run-1",
        playbook="account_at_risk",
        step="follow_up",
        created_at=START,
        updated_at=START,
    )
    return replace(task, **members)


def an_approval(approval_id: str = "approval-1", **members: Any) -> Approval:
    """The owner is asked for a workshop."""
    approval = Approval(
        id=approval_id,
        run_id="run-1",
        playbook="account_at_risk",
        step="ask",
        account_id="acme",
        title="Offer a workshop?",
        by=("owner",),
        asked_at=START,
        expires_at=START + DAY,
    )
    return replace(approval, **members)


def a_result(run_id: str = "run-1", position: int = 0, step: str = "tell", **members: Any) -> StepResult:
    """A step that asked for a message."""
    result = StepResult(
        run_id=run_id, position=position, step=step, kind="notify", at=START, outcome="requested"
    )
    return replace(result, **members)


def an_entry(crossing_id: str = "crossing-1", **members: Any) -> Entry:
    """A refusal."""
    entry = Entry(
        crossing_id=crossing_id,
        playbook="account_at_risk",
        version=1,
        account_id="acme",
        decided_at=START,
        outcome="refused",
        code="audience",
        reason="not in the audience",
    )
    return replace(entry, **members)
