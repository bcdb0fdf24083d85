"""Scenario files: a playbook, how the account is, what happens, and what is to come of it, each in a few lines of YAML.

playbook: usage_falling.yaml         # beside this file, or the name of a shipped one
scenarios:
  - scenario: Usage recovers before anybody has to call
    given: {score: 40, attributes: {owner: maria}}
    when:
      - cross: usage_falling
      - advance: 3d
      - become: {score: 70}
    then: {sent: [usage_falling], steps: [tell, pause, recovered=met], status: completed}
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playbooks.application.simulation_request import AccountState, Instant, Length
from playbooks.testing_setting import START, Setting, find_playbook
from playbooks.testing_world import Expected, World


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Given(AccountState):
    """The account at the start, and the world around it."""

    account: str = "acme"
    at: Instant = START
    zone: str = "UTC"
    holidays: str | None = None

    def world(self, names: list[str], beside: Path) -> World:
        """A world with this account."""
        setting = Setting(at=self.at, zone=self.zone, holidays=self.holidays)
        world = World([find_playbook(each, beside) for each in names], setting)
        world.account(self.account, **_state(self))
        return world


class Completed(_Strict):
    """A task that is done."""

    step: str
    outcome: str = "done"


class Then(_Strict):
    """What is to have come of it by then; what is not named is not looked at. A step is a name, or `name=outcome`, `name=way`."""

    sent: list[str] | None = None
    steps: list[str] | None = None
    tasks: list[str] | None = Field(default=None, description="Types of the tasks that were opened.")
    called: list[str] | None = Field(default=None, description="Endpoints.")
    asked: list[str] | None = Field(default=None, description="Steps whose questions are open.")
    entered: bool | None = None
    refused: str | None = Field(default=None, description="The code of the reason why no run was started.")
    status: Literal["active", "completed", "exited", "failed", "cancelled"] | None = None
    reason: str | None = Field(default=None, description="A part of why the run ended.")
    at_step: str | None = Field(default=None, description="The step at hand.")

    def check(self, world: World) -> None:
        """AssertionError with what was expected, what it is, and all that happened."""
        for name in ("sent", "called", "asked", "refused"):
            _equal(world, name, getattr(self, name), lambda name=name: getattr(world, name))
        _equal(world, "tasks", self.tasks, lambda: [each.type for each in world.tasks])
        _equal(
            world,
            "entered",
            self.entered,
            lambda: world.entry is not None and world.entry.outcome == "started",
        )
        _equal(world, "at_step", self.at_step, lambda: world.run.step)
        if self.steps is not None:
            world.assert_steps(*map(_expected, self.steps))
        if self.status == "active":
            _equal(world, "status", self.status, lambda: world.run.status)
        elif self.status is not None or self.reason is not None:
            world.assert_ended(self.status or world.run.status, self.reason)


class Event(_Strict):
    """One thing that happens: exactly one of these."""

    cross: str | None = None
    leave: str | None = None
    become: AccountState | None = None
    advance: Length | None = None
    until: Instant | None = None
    approve: str | None = None
    reject: str | None = None
    complete: str | Completed | None = None
    answers: dict[str, int] | None = Field(default=None, description="What endpoints answer from now on.")
    then: Then | None = Field(default=None, description="What is to have come of it so far.")

    def happen(self, world: World) -> None:
        """Let it happen. ValueError where it is not exactly one thing."""
        given = [(name, value) for name, value in self if value is not None]
        if len(given) != 1:
            raise ValueError(f"each line of `when` is exactly one of {', '.join(Event.model_fields)}")
        match given[0]:
            case "become", AccountState() as state:
                world.account(world.named, **_state(state))
            case "until", instant:
                world.advance_to(instant)
            case "complete", Completed(step=step, outcome=outcome):
                world.complete(step, outcome)
            case "answers", dict() as answers:
                for endpoint, status in answers.items():
                    world.answers(endpoint, status)
            case "then", Then() as then:
                then.check(world)
            case name, value:
                getattr(world, name)(value)


class Scenario(_Strict):
    """A scenario; where nothing happens in `when`, the account crosses the playbook's trigger and 90 days pass."""

    scenario: str
    playbook: str | list[str] | None = None
    given: Given = Given()
    when: list[Event] | None = None
    then: Then = Then()

    def play(self, beside: Path) -> None:
        """AssertionError where what is expected does not come."""
        names = [self.playbook] if isinstance(self.playbook, str) else self.playbook or []
        world = self.given.world(names, beside)
        if self.when is None:
            trigger = world.definition.trigger
            world.cross(trigger.threshold, trigger.direction)
            world.advance("90d")
        for event in self.when or []:
            event.happen(world)
        self.then.check(world)


class ScenarioDocument(_Strict):
    """A file; without `playbook` it is for the one in the file of the same name: NAME.test.yaml tests NAME.yaml."""

    playbook: str | list[str] | None = None
    scenarios: list[Scenario] = Field(min_length=1)


def scenarios_of(file: Path) -> Iterator[Scenario]:
    """The scenarios of a file. ValueError where it cannot be read, with every mistake and its place."""
    try:
        document = ScenarioDocument.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not YAML: {error}") from error
    except ValidationError as error:
        told = [f"  {'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in error.errors()]
        raise ValueError("\n".join([f"{file} cannot be used:", *told])) from error
    default = document.playbook or file.name.removesuffix(file.suffix).removesuffix(".test") + ".yaml"
    for each in document.scenarios:
        yield each.model_copy(update={"playbook": each.playbook or default})


def _state(state: AccountState) -> dict[str, Any]:
    return {name: getattr(state, name) for name in AccountState.model_fields}


def _expected(text: str) -> Expected:
    step, _, way = text.partition("=")
    return (step, way) if way else step


def _equal(world: World, name: str, expected: Any, found: Any) -> None:
    if expected is not None and (there := found()) != expected:
        raise AssertionError(f"expected {name} {expected}, but it is {there}\n\n{world.timeline()}")
