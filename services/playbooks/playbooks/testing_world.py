"""What authors' tests play with: one or more playbooks, accounts, people and a clock, all in memory, by the engine itself."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from playbooks.adapters.definitions import playbook_of
from playbooks.adapters.memory.sandbox import MemorySandbox, RecordingEndpoints
from playbooks.application.actor import Actor
from playbooks.application.approval_desk import ApprovalDesk
from playbooks.application.model import Entry, Task
from playbooks.application.reads import EntryFilter, RunFilter, RunStory
from playbooks.application.simulation import PretendedClock, Requested, Simulator
from playbooks.application.simulation_account import SimulatedAccount, State, unknown_account
from playbooks.application.simulation_driver import drive
from playbooks.application.simulation_people import People
from playbooks.application.task_desk import TaskDesk
from playbooks.application.timeline import run_detail
from playbooks.domain.definition import Definition
from playbooks.domain.durations import duration
from playbooks.domain.run import Run, StepResult
from playbooks.testing_setting import Setting

SOMEBODY = Actor("author")
MOST = 1_000
Expected = str | tuple[str, str]
"""A step by name, or with its outcome or the way it took: ("recovered", "timed_out")."""


class World:
    """Begins at an instant with the playbooks in force and nobody known. What it tells is of the account named last."""

    def __init__(self, definitions: Sequence[Definition], setting: Setting) -> None:
        """The first of the playbooks is the one that `steps` and `refused` speak of."""
        self.definition = definitions[0]
        self._clock = PretendedClock(setting.at.astimezone(UTC))
        self._endpoints = RecordingEndpoints()
        self._sandbox = MemorySandbox()
        self._rules = setting.rules()
        self._simulator = Simulator(
            sandbox=self._sandbox,
            rules=self._rules,
            clock=self._clock,
            endpoints=self._endpoints,
            people=People(),
        )
        for each in definitions:
            self._sandbox.install(playbook_of(1, each), active=True)
        self._accounts: dict[str, SimulatedAccount] = {}
        self.named = "acme"

    # ---- what happens

    def account(self, account_id: str = "acme", **state: Any) -> None:
        """The account is so from now on: score, band, attributes, dimensions, measures, values, thresholds (see State).

        What is not given stays as it was; a threshold that is new or gone is crossed.
        """
        self.named = account_id
        known = self._accounts.get(account_id)
        if known is None:
            # A first state is no change: what it is inside of was crossed long ago.
            inside = list(state.pop("thresholds", None) or [])
            known = SimulatedAccount(replace(unknown_account(account_id, self.now), thresholds=inside))
            self._accounts[account_id] = known
        drive(self._simulator.feed(known.become(State(**state), self.now)))

    def cross(
        self, threshold: str, direction: Literal["entered", "left"] = "entered", **members: Any
    ) -> None:
        """The account crosses a threshold now; `members` are those of the contract's Crossing (before, after, target …)."""
        if self.named not in self._accounts:
            self.account(self.named)
        account = self._accounts[self.named]
        drive(self._simulator.feed(account.cross(threshold, direction, self.now, **members)))

    def leave(self, threshold: str, **members: Any) -> None:
        """The account comes back over a threshold now."""
        self.cross(threshold, "left", **members)

    def advance(self, length: str) -> None:
        """So much time passes: 30m, 4h, 2d. Every step is taken at its own instant."""
        self.advance_to(self.now + duration(length))

    def advance_to(self, instant: datetime | str) -> None:
        """Time passes until an instant; one without a zone is UTC."""
        at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
        at = at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
        if at < self.now:
            raise ValueError(f"{at.isoformat()} is past: it is {self.now.isoformat()} by now")
        drive(self._simulator.advance(at))

    def approve(self, step: str, comment: str | None = None) -> None:
        """Somebody says yes to the question of a step. AssertionError where nothing is asked."""
        self._answer(step, "approved", comment)

    def reject(self, step: str, comment: str | None = None) -> None:
        """Somebody says no to the question of a step. AssertionError where nothing is asked."""
        self._answer(step, "rejected", comment)

    def complete(self, step: str, outcome: str = "done") -> None:
        """Somebody completes the task that a step opened. AssertionError where there is none to do."""
        _, tasks = self._sandbox.pending()
        task = self._wanted(step, "task to do", [each for each in tasks if each.account_id == self.named])
        desk = TaskDesk(self._sandbox.transactions, self._clock, self._rules.calendar)
        drive(desk.complete(task.id, outcome, SOMEBODY))
        self._go_on()

    def answers(self, endpoint: str, status: int) -> None:
        """The endpoint answers so from now on; 200 where nothing was said of it."""
        self._endpoints.answers[endpoint] = status

    # ---- what came of it

    @property
    def now(self) -> datetime:
        """The pretended instant."""
        return self._clock.now()

    @property
    def messages(self) -> list[Requested]:
        """The messages asked for so far, in order."""
        return [each for each in self._simulator.requests if each.account_id == self.named]

    @property
    def sent(self) -> list[str]:
        """Their templates."""
        return [each.template for each in self.messages]

    @property
    def tasks(self) -> list[Task]:
        """The tasks opened so far, whatever became of them."""
        return [each for each in self._sandbox.tasks() if each.account_id == self.named]

    @property
    def called(self) -> list[str]:
        """The endpoints called so far, in order."""
        return [each.endpoint for each in self._endpoints.called if each.body["account_id"] == self.named]

    @property
    def calls(self) -> list[Mapping[str, Any]]:
        """What they were told."""
        return [each.body for each in self._endpoints.called if each.body["account_id"] == self.named]

    @property
    def asked(self) -> list[str]:
        """The steps whose questions nobody has answered yet."""
        questions, _ = self._sandbox.pending()
        return [each.step for each in questions if each.account_id == self.named]

    @property
    def run(self) -> Run:
        """The account's last run of the first playbook. AssertionError where there is none."""
        return self._story().run

    @property
    def results(self) -> Mapping[str, StepResult]:
        """What became of its steps, by their names."""
        return {each.step: each for each in self._story().results}

    @property
    def steps(self) -> list[str]:
        """Its finished steps, in order."""
        return [each.step for each in self._story().results]

    @property
    def entry(self) -> Entry | None:
        """What the last crossing meant for the first playbook; None where none meant anything."""
        wanted = EntryFilter(account_id=self.named, playbook=self.definition.name)
        return next(iter(drive(self._sandbox.reads.entries(wanted, 1, None))), None)

    @property
    def refused(self) -> str | None:
        """The code of the reason why the last crossing started no run; None where it did."""
        return self.entry.code if self.entry is not None else None

    def at(self, step: str) -> datetime:
        """When a step was finished. AssertionError where it was not."""
        if step not in self.results:
            raise AssertionError(f"step {step} has not ended\n\n{self.timeline()}")
        return self.results[step].at

    def assert_steps(self, *expected: Expected) -> None:
        """Exactly these steps have ended, in this order."""
        ended = [(each.step, each.outcome, each.path) for each in self._story().results]
        fits = len(ended) == len(expected) and all(map(_fits, expected, ended))
        if not fits:
            wanted = ", ".join(each if isinstance(each, str) else "=".join(each) for each in expected)
            found = ", ".join(f"{step}={path or outcome}" for step, outcome, path in ended)
            raise AssertionError(
                f"expected the steps {wanted}\n     but it took {found}\n\n{self.timeline()}"
            )

    def assert_ended(self, status: str = "completed", reason: str | None = None) -> None:
        """The run has ended so; `reason` is a part of why."""
        run = self.run
        if run.status != status or (reason is not None and reason not in (run.reason or "")):
            told = f"{run.status}: {run.reason}" if run.status != "active" else f"active at {run.step}"
            raise AssertionError(
                f"expected it {status}{f': {reason}' if reason else ''}, but it is {told}\n\n{self.timeline()}"
            )

    def timeline(self) -> str:
        """All that happened to the account, as people read it."""
        lines = [f"{self.named}, now {self.now:%a %Y-%m-%d %H:%M} UTC"]
        for run in reversed(self._runs()):
            story = drive(self._sandbox.reads.run(run.id))
            if story is not None:
                lines.append(f"run of {run.playbook}: {run.status}")
                for moment in run_detail(story).timeline:
                    lines.append(
                        f"  {moment.at:%a %Y-%m-%d %H:%M}  {moment.step or moment.what:<16} {moment.told}"
                    )
                    lines += [f"{'':<37}{each}" for each in moment.because]
        entry = self.entry
        if entry is not None and entry.outcome != "started":
            lines.append(f"not entered at {entry.decided_at:%a %Y-%m-%d %H:%M}: {entry.code}: {entry.reason}")
        return "\n".join(lines)

    def _answer(self, step: str, said: Literal["approved", "rejected"], comment: str | None) -> None:
        questions, _ = self._sandbox.pending()
        mine = [each for each in questions if each.account_id == self.named]
        question = self._wanted(step, "question", mine)
        drive(
            ApprovalDesk(self._sandbox.transactions, self._clock).answer(question.id, said, SOMEBODY, comment)
        )
        self._go_on()

    def _wanted(self, step: str, what: str, there: Sequence[Any]) -> Any:
        found = next((each for each in there if each.step == step), None)
        if found is None:
            steps = ", ".join(str(each.step) for each in there) or "none"
            raise AssertionError(f"step {step} has no {what} open; there are: {steps}\n\n{self.timeline()}")
        return found

    def _go_on(self) -> None:
        drive(self._simulator.advance(self.now))

    def _runs(self, playbook: str | None = None) -> list[Run]:
        wanted = RunFilter(account_id=self.named, playbook=playbook)
        return drive(self._sandbox.reads.runs(wanted, MOST, None))

    def _story(self) -> RunStory:
        runs = self._runs(self.definition.name)
        story = drive(self._sandbox.reads.run(runs[0].id)) if runs else None
        if story is None:
            raise AssertionError(f"{self.named} has no run of {self.definition.name}\n\n{self.timeline()}")
        return story


def _fits(expected: Expected, ended: tuple[str, str, str | None]) -> bool:
    step, outcome, path = ended
    return (
        expected == step
        if isinstance(expected, str)
        else expected[0] == step and expected[1] in (outcome, path)
    )
