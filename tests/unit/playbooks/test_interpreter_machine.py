"""Whatever happens to a run between its steps, each step takes effect once, in order, and never before its wait is over."""

from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.clock import START
from tests.unit.playbooks.builders import NOTIFY, TASK, a_definition, a_run

from playbooks.domain.definition import Definition
from playbooks.domain.interpreter import Decision, Effect, advance
from playbooks.domain.run import Run, StepResult, exit_run, note_failure
from playbooks.domain.steps import Step

RETRY = (1.0, 10.0, 60.0)

KINDS = {
    "notify": lambda name: Step(name=name, notify=NOTIFY.notify),
    "task": lambda name: Step(name=name, task=TASK.task),
    "wait": lambda name: Step(name=name, wait="2d"),
}
STEPS = st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=6).map(
    lambda kinds: tuple(KINDS[kind](f"{kind}_{index}") for index, kind in enumerate(kinds))
)
MOVES = st.timedeltas(min_value=timedelta(days=-5), max_value=timedelta(days=5))


class RunMachine(RuleBasedStateMachine):
    """One run whose clock may jump, whose process may die before any commit, and whose account may recover."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = START
        self.definition: Definition
        self.run: Run = a_run()
        self.effects: list[Effect] = []
        self.results: list[StepResult] = []
        self.wakes: dict[int, datetime] = {}
        self.ended: Run | None = None

    @initialize(steps=STEPS)
    def begin(self, steps: tuple[Step, ...]) -> None:
        self.definition = a_definition(steps=steps)

    @rule(by=MOVES)
    def clock_jumps(self, by: timedelta) -> None:
        self.now += by

    @rule()
    @precondition(lambda self: self.run.due_at is not None)
    def clock_reaches_the_due_time(self) -> None:
        assert self.run.due_at is not None
        self.now = max(self.now, self.run.due_at)

    @rule()
    def tick(self) -> None:
        """Decide and commit."""
        decision = self._decide()
        self.run = decision.run
        self.effects += [decision.effect] if decision.effect else []
        self.results += [decision.result] if decision.result else []
        if self.run.wake_at is not None:
            self.wakes.setdefault(self.run.position, self.run.wake_at)

    @rule()
    def crash_before_commit(self) -> None:
        """What was decided is lost, and decided the same way again."""
        assert self._decide() == self._decide()

    @rule()
    @precondition(lambda self: self.run.status == "active")
    def step_fails(self) -> None:
        self.run = note_failure(self.run, "broken", RETRY, self.now)

    @rule()
    @precondition(lambda self: self.run.status == "active")
    def account_recovers(self) -> None:
        self.run = exit_run(self.run, "at_risk was left", "crossing-2", self.now)

    def _decide(self) -> Decision:
        decision = advance(self.definition, self.run, self.now)
        if decision.effect is not None:
            assert decision.result is not None, "an effect without a result could be made twice"
        if decision.result is not None and decision.result.until is not None:
            assert decision.result.at >= decision.result.until, "woken before its time"
        return decision

    @invariant()
    def every_step_is_done_once_and_in_order(self) -> None:
        done = [each.position for each in self.results]
        assert done == list(range(self.run.position))
        wanted = [step.name for step in self.definition.steps[: self.run.position] if step.kind != "wait"]
        assert [each.step for each in self.effects] == wanted

    @invariant()
    def a_wake_time_never_changes(self) -> None:
        if self.run.wake_at is not None:
            assert self.run.wake_at == self.wakes[self.run.position]

    @invariant()
    def only_an_active_run_is_ever_due(self) -> None:
        assert (self.run.due_at is None) == (self.run.status != "active")
        assert (self.run.ended_at is None) == (self.run.status == "active")
        assert (self.run.position == len(self.definition.steps)) == (self.run.status == "completed")

    @invariant()
    def an_ended_run_never_changes(self) -> None:
        if self.ended is not None:
            assert self.run == self.ended
        if self.run.status != "active":
            self.ended = self.run


TestRunMachine = RunMachine.TestCase
TestRunMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
