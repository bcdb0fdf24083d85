"""A run with all that its steps may know and speak of: what the interpreter sees of an account."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from csm_common.contracts.health import AccountSnapshot
from playbooks.application.model import Condition, Known, Playbook, ReceivedCrossing
from playbooks.application.ports import RunStep, Store
from playbooks.domain.entry import Verdict
from playbooks.domain.interpreter import Answer
from playbooks.domain.run import Run, StepResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What is not said to an account while it has other worries: the condition, and the reason as people read it."""

    condition: Condition
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A run, the crossing that started it, the newest snapshot, its steps so far with their tasks, and what people answered.

    Implements interpreter.View.
    """

    run: Run
    playbook: Playbook
    received: ReceivedCrossing
    snapshot: AccountSnapshot
    hold: Holding | None = None
    results: Mapping[str, StepResult] = field(default_factory=dict)
    tasks: Mapping[RunStep, tuple[str, str | None]] = field(default_factory=dict)
    answers: Mapping[RunStep, Answer] = field(default_factory=dict)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The account's own."""
        return self.snapshot.attributes

    @property
    def revision(self) -> int:
        """Of the snapshot."""
        return self.snapshot.revision

    def ask(self, condition: str) -> Verdict:
        """What a condition of the playbook says."""
        return self.playbook.ask(condition, self.known())

    def holding(self) -> str | None:
        """Why nothing is to be sold to the account now."""
        if self.hold is not None and self.hold.condition(Known(snapshot=self.snapshot)).admitted:
            return self.hold.reason
        return None

    def answer(self, step: str) -> Answer | None:
        """What was said to the approval of a step."""
        return self.answers.get((self.run.id, step))

    def known(self) -> Known:
        """All that a condition may speak of."""
        tasks = {step: said for (run, step), said in self.tasks.items() if run == self.run.id}
        return Known(
            snapshot=self.snapshot, crossing=self.received.crossing, results=self.results, tasks=tasks
        )


async def situations(
    store: Store, runs: Sequence[Run], playbooks: Mapping[tuple[str, int], Playbook], hold: Holding | None
) -> dict[str, Situation]:
    """The situation of each run by its id, read in as few queries as its playbook's conditions need."""
    if not runs:
        return {}
    crossings = await store.crossings.load({run.crossing_id for run in runs})
    snapshots = await store.accounts.newest({run.account_id for run in runs})
    looking_back = [run.id for run in runs if _looks_back(playbooks[run.playbook, run.version])]
    results = await store.runs.results(_telling(runs, playbooks, looking_back))
    tasks = await store.tasks.outcomes(looking_back) if looking_back else {}
    answers = await _answers(store, [run.id for run in runs if run.awaits == "approval"])
    found = {}
    for run in runs:
        received = crossings[run.crossing_id]
        # The two topics are not read in step: just after a crossing, its own snapshot can be the newest.
        known = snapshots.get(run.account_id, received.crossing.snapshot)
        found[run.id] = Situation(
            run=run,
            playbook=playbooks[run.playbook, run.version],
            received=received,
            snapshot=max(known, received.crossing.snapshot, key=lambda each: each.revision),
            hold=hold,
            results=results.get(run.id, {}),
            tasks=tasks,
            answers=answers,
        )
    return found


async def _answers(store: Store, run_ids: Collection[str]) -> Mapping[RunStep, Answer]:
    return await store.approvals.answers(run_ids) if run_ids else {}


def _telling(
    runs: Sequence[Run], playbooks: Mapping[tuple[str, int], Playbook], looking_back: Collection[str]
) -> Sequence[str]:
    """Runs whose earlier steps are needed: for conditions, or because the step at hand tells others how it came to be."""
    return [
        run.id
        for run in runs
        if run.position and (run.id in looking_back or _tells(playbooks[run.playbook, run.version], run))
    ]


def _tells(playbook: Playbook, run: Run) -> bool:
    node = playbook.program.nodes.get(run.step or "")
    return node is not None and node.step.kind in ("notify", "webhook")


def _looks_back(playbook: Playbook) -> bool:
    """Whether a condition may speak of the steps so far."""
    return any("steps" in condition for condition in playbook.conditions)
