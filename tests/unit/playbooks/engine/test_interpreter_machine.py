"""Whatever happens to a run between its steps, each step takes effect once, in order, and never before its wait is over.

The row of a run and its lock are modelled: a worker takes the run, decides, and commits or dies. Calls go out under a claim, from
which workers come back in time, late, or never.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.clock import START
from tests.unit.playbooks.builders import a_definition, a_run
from tests.unit.playbooks.engine.generated import STEPS
from tests.unit.playbooks.engine.reference import expected
from tests.unit.playbooks.engine.stepping import CALENDAR, LEASE
from tests.unit.playbooks.engine.views import ToldView

from playbooks.domain.definition import ExitWhen, Late
from playbooks.domain.interpreter import (
    Answer,
    AskApproval,
    CallWebhook,
    Decision,
    Effect,
    advance,
    call_failed,
    called,
    claim,
    needs_view,
    skip_wait,
)
from playbooks.domain.program import Program, lay_out
from playbooks.domain.run import Run, StepResult, cancel_run, exit_run, note_failure, retry_run
from playbooks.domain.steps import Step

RETRY = (1.0, 10.0, 60.0)
MOVES = st.timedeltas(min_value=timedelta(days=-2), max_value=timedelta(days=5))
LATE = st.sampled_from([Late(), Late(after="1d", then="exit")])


def active(machine: "RunMachine") -> bool:
    return machine.run.status == "active"


def out_for_a_call(machine: "RunMachine") -> bool:
    return bool(machine.calls)


class RunMachine(RuleBasedStateMachine):
    """One run whose clock may jump, whose workers may die at any point, and whose account and people do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = START
        self.program: Program
        self.run: Run
        self.view = ToldView()
        self.effects: list[Effect] = []
        self.results: list[StepResult] = []
        self.calls: list[Run] = []
        self.posted: list[str] = []
        self.wakes: dict[int, datetime] = {}
        self.ended: Run | None = None

    @initialize(steps=STEPS, late=LATE)
    def begin(self, steps: tuple[Step, ...], late: Late) -> None:
        definition = a_definition(steps=steps, exit_when=ExitWhen(condition="gone"), late=late)
        self.program = lay_out(definition)
        self.run = a_run(step=steps[0].name)

    # ---- the clock, the account, and people

    @rule(by=MOVES)
    def clock_jumps(self, by: timedelta) -> None:
        self.now += by

    @rule()
    @precondition(active)
    def clock_reaches_the_due_time(self) -> None:
        assert self.run.due_at is not None
        self.now = max(self.now, self.run.due_at)

    @rule(condition=st.sampled_from(["good", "big", "small"]))
    def account_changes(self, condition: str) -> None:
        """And the snapshot wakes what waits for news."""
        self.view.true ^= {condition}
        self._wake()

    @rule()
    def escalation_opens_or_closes(self) -> None:
        self.view.hold = None if self.view.hold else "an escalation is open"
        self._wake()

    @rule(said=st.sampled_from(["approved", "rejected"]))
    @precondition(lambda self: self.run.awaits == "approval")
    def person_answers(self, said: str) -> None:
        self.view.answers.setdefault(self.run.step or "", Answer(said=said, by="person:maria"))  # type: ignore[arg-type]
        self.run = replace(self.run, due_at=self.now)

    @rule()
    @precondition(lambda self: active(self) and self.run.awaits in ("time", "condition", "hold"))
    def person_skips_the_wait(self) -> None:
        """What is held back is left out then."""
        run = replace(self.run, held=None, held_since=None)
        self._commit(skip_wait(self.program, run, "by person:ana: enough", self.now))

    @rule()
    @precondition(lambda self: self.run.status == "failed")
    def person_tries_again(self) -> None:
        """As if the run had just come to its step: a wait begins anew, and a question is asked again under its id."""
        self.ended = None
        self.run = retry_run(self.run, self.now)
        self.wakes.pop(self.run.position, None)
        self.effects = [
            each
            for each in self.effects
            if not (isinstance(each, AskApproval) and each.step == self.run.step)
        ]

    # ---- ends

    @rule(everything=st.integers(0, 9))
    @precondition(active)
    def account_is_gone(self, everything: int) -> None:
        """Rarely: it is over then."""
        if everything == 0:
            self.view.true.add("gone")

    @rule(how=st.integers(0, 9))
    @precondition(active)
    def run_is_ended(self, how: int) -> None:
        if how == 0:
            self.run = exit_run(self.run, "at_risk was left", self.now, "crossing-2")
        elif how == 1:
            self.run = cancel_run(self.run, "by person:ana", self.now)

    # ---- workers

    @rule()
    def tick(self) -> None:
        """Decide and commit; with a call to make, claim it."""
        made = self._decide()
        if isinstance(made.effect, CallWebhook):
            self._claim(made)
        else:
            self._commit(made)

    @rule()
    @precondition(active)
    def tick_until_it_waits(self) -> None:
        for _ in range(50):
            if self.run.due_at is None or self.run.due_at > self.now:
                return
            self.tick()
        raise AssertionError("it is due again and again, and nothing comes of it")

    @rule()
    def die_before_the_commit(self) -> None:
        """What was decided is lost, and decided the same way again."""
        assert self._decide() == self._decide()

    @rule()
    @precondition(active)
    def step_fails(self) -> None:
        if self.run.awaits != "call":
            self.run = note_failure(self.run, "broken", RETRY, self.now)

    @rule(which=st.randoms(use_true_random=False), good=st.booleans())
    @precondition(out_for_a_call)
    def worker_comes_back(self, which: Random, good: bool) -> None:
        """In time or late: another may have claimed the run since, or it may have ended."""
        out = self.calls.pop(which.randrange(len(self.calls)))
        self.posted.append(out.step or "")
        mine = (
            self.run.status == "active" and self.run.lease_until is not None and self.run.fence == out.fence
        )
        if mine and good:
            self._commit(called(self.program, self.run, self.view.revision, 200, self.now))
        elif mine:
            self.run = call_failed(self.run, "crm answered 503", RETRY, self.now)

    @rule()
    @precondition(out_for_a_call)
    def worker_dies_while_calling(self) -> None:
        self.calls.pop()

    # ---- what must hold

    @invariant()
    def results_are_those_of_a_walk_through_the_tree(self) -> None:
        if not hasattr(self, "run"):
            return
        names = [each.step for each in self.results]
        assert len(set(names)) == len(names), "a step has two results"
        assert [each.position for each in self.results] == list(range(self.run.position))
        steps = self.program.definition.steps
        assert [*names, self.run.step or ""] == expected(steps, {each.step: each for each in self.results})

    @invariant()
    def effects_are_those_of_the_results(self) -> None:
        results = {each.step: each for each in self.results}
        asked = [each.step for each in self.effects if not isinstance(each, AskApproval)]
        done = [each for each in self.results if each.outcome in ("requested", "opened", "called")]
        assert asked == [each.step for each in done]
        questions = [each.step for each in self.effects if isinstance(each, AskApproval)]
        at_hand = getattr(self, "run", None) and self.run.step
        assert len(set(questions)) == len(questions)
        assert {each for each in questions if each != at_hand} <= set(results)

    @invariant()
    def a_wake_time_never_moves(self) -> None:
        if hasattr(self, "run") and self.run.wake_at is not None:
            assert self.wakes.setdefault(self.run.position, self.run.wake_at) == self.run.wake_at

    @invariant()
    def a_run_is_due_at_some_time_or_has_ended(self) -> None:
        if hasattr(self, "run"):
            assert (self.run.due_at is None) == (self.run.status != "active")
            assert (self.run.ended_at is None) == (self.run.status == "active")
            assert (self.run.step is None) == (self.run.status == "completed")
            assert self.run.wake_at is None or self.run.awaits in ("time", "condition", "approval")

    @invariant()
    def an_ended_run_never_changes(self) -> None:
        if self.ended is not None:
            assert self.run == self.ended
        if hasattr(self, "run") and self.run.status != "active":
            self.ended = self.run

    def teardown(self) -> None:
        """Left alone with a clock that goes on, the run ends."""
        for _ in range(2000):  # what is held back is looked at every hour of thirty days
            if not hasattr(self, "run") or self.run.status != "active":
                return
            assert self.run.due_at is not None
            self.now = max(self.now, self.run.due_at)
            self.tick()
            while self.calls:
                self.calls.sort(key=lambda out: out.fence)
                self.worker_comes_back_in_time()
        raise AssertionError(f"it never ends: {self.run}")

    def worker_comes_back_in_time(self) -> None:
        """The newest of them."""
        out = self.calls.pop()
        if self.run.fence == out.fence and self.run.lease_until is not None and self.run.status == "active":
            self._commit(called(self.program, self.run, self.view.revision, 200, self.now))

    # ---- the row

    def _decide(self) -> Decision:
        view = self.view if needs_view(self.program, self.run, self.now) else None
        return advance(self.program, self.run, view, CALENDAR, self.now)

    def _claim(self, made: Decision) -> None:
        """A step that has just come to its call is left to be claimed; one that stands there is claimed."""
        if self.run.awaits != "call":
            self.run = made.run
            return
        self.run = claim(self.run, LEASE, RETRY, self.now)
        if self.run.status == "active":
            self.calls.append(self.run)

    def _commit(self, made: Decision) -> None:
        if made.result is not None and made.result.until is not None and made.result.outcome == "waited":
            assert made.result.at >= made.result.until, "woken before its time"
        if made.result is not None and made.result.outcome == "called":
            self.effects.append(CallWebhook(step=made.result.step, webhook=None))  # type: ignore[arg-type]
        self.run = made.run
        self.effects += [made.effect] if made.effect else []
        self.results += [made.result] if made.result else []

    def _wake(self) -> None:
        if self.run.status == "active" and self.run.awaits in ("condition", "hold"):
            self.run = replace(self.run, due_at=min(self.run.due_at or self.now, self.now))


TestRunMachine = RunMachine.TestCase
TestRunMachine.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
