"""Takes one run through the interpreter as a worker would, with what became of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.support.clock import START
from tests.unit.playbooks.builders import a_definition, a_run
from tests.unit.playbooks.engine.views import ToldView

from playbooks.domain.calendar import Calendar
from playbooks.domain.definition import Definition
from playbooks.domain.interpreter import CallWebhook, Decision, Effect, advance, called, claim
from playbooks.domain.program import lay_out
from playbooks.domain.run import Run, StepResult
from playbooks.domain.steps import Step

RETRY = (1.0, 10.0)
LEASE = timedelta(seconds=30)
CALENDAR = Calendar()


@dataclass
class Walk:
    """A run on its way; `view` and `now` may be changed at any time."""

    definition: Definition
    run: Run
    view: ToldView = field(default_factory=ToldView)
    now: datetime = START
    results: list[StepResult] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    def tick(self) -> Decision:
        """One decision, written down; a call is answered with 200 at once."""
        made = advance(lay_out(self.definition), self.run, self.view, CALENDAR, self.now)
        self._write(made)
        if isinstance(made.effect, CallWebhook):
            out = claim(self.run, LEASE, RETRY, self.now)
            self._write(called(lay_out(self.definition), out, self.view.revision, 200, self.now))
        return made

    def on(self) -> "Walk":
        """As far as it goes without the clock."""
        while self.run.due_at is not None and self.run.due_at <= self.now:
            self.tick()
        return self

    def later(self, by: timedelta) -> "Walk":
        """As far as it goes by then, with somebody looking whenever it is due."""
        end = self.now + by
        while self.run.due_at is not None and self.run.due_at <= end:
            self.now = max(self.now, self.run.due_at)
            self.tick()
        self.now = end
        return self

    @property
    def path(self) -> list[tuple[str, str]]:
        """The steps so far with their outcomes."""
        return [(each.step, each.outcome) for each in self.results]

    @property
    def names(self) -> list[str]:
        """The steps so far."""
        return [each.step for each in self.results]

    def _write(self, made: Decision) -> None:
        self.run = made.run
        self.results += [made.result] if made.result else []
        self.effects += [made.effect] if made.effect else []


def a_walk(*steps: Step, view: ToldView | None = None, **members: Any) -> Walk:
    """A run that stands before the first of these steps."""
    definition = a_definition(steps=steps, **members)
    return Walk(definition, a_run(step=steps[0].name), view or ToldView())
