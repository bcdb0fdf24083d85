"""A definition that means nothing cannot be made, and says where it is wrong."""

from collections.abc import Callable
from datetime import time

import pytest
from tests.unit.playbooks.builders import NOTIFY, TASK, WAIT, a_definition

from playbooks.domain.actions import Assignee, Until, Webhook
from playbooks.domain.definition import Entry, ExitWhen, Goal, Holdout, Late, Limits, Trigger
from playbooks.domain.rules import DefinitionError
from playbooks.domain.steps import (
    Approve,
    Branch,
    Case,
    End,
    Notify,
    Path,
    Recipient,
    Split,
    Step,
    Task,
    WaitUntil,
)

OWNER, ALERTS = Recipient(owner=True), Recipient(endpoint="alerts")
CASE = Case(name="big", when="true")


def a_notify(**members: object) -> Notify:
    given: dict[str, object] = {
        "channel": "email",
        "recipients": (Recipient(owner=True),),
        "template": "hello",
        "category": "health",
        "message_class": "internal",
    }
    return Notify(**{**given, **members})  # type: ignore[arg-type]


def a_task(**members: object) -> Task:
    given = {"type": "call", "title": "Call", "reason": "at_risk", "assignee": "owner", "due_in": "1d"}
    return Task(**{**given, **members})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "place", "sentence"),
    [
        (lambda: Trigger(threshold="At risk", direction="entered"), ("threshold",), "is not a name"),
        (lambda: Entry(once_per="weekly"), ("once_per",), "is not a duration"),
        (lambda: ExitWhen(left=("at_risk", "?")), ("left", 1), "is not a name"),
        (lambda: ExitWhen(entered=("",)), ("entered", 0), "is not a name"),
        (
            Recipient,
            (),
            "give one of owner: true, team: true, role: NAME, contact: ID, endpoint: NAME",
        ),
        (lambda: Recipient(team=True, endpoint="alerts"), (), "give one of"),
        (lambda: Recipient(endpoint="#alerts"), ("endpoint",), "is not a name"),
        (
            lambda: a_notify(recipients=(OWNER, ALERTS)),
            ("recipients", 1),
            "an email goes to people and teams",
        ),
        (lambda: a_notify(channel="webhook"), ("recipients", 0), "a webhook reaches no person"),
        (lambda: Recipient(owner=True, role="admin"), (), "give one of"),
        (lambda: Recipient(role=" "), ("role",), "must not be empty"),
        (lambda: Recipient(contact=""), ("contact",), "must not be empty"),
        (lambda: a_notify(recipients=()), ("recipients",), "at least one recipient"),
        (lambda: a_notify(template="../secret"), ("template",), "is not a name"),
        (lambda: a_notify(category=""), ("category",), "is not a name"),
        (lambda: a_task(type="a" * 64), ("type",), "is not a name"),
        (lambda: a_task(title=" "), ("title",), "must not be empty"),
        (lambda: a_task(reason=""), ("reason",), "must not be empty"),
        (lambda: a_task(due_in="soon"), ("due_in",), "is not a duration"),
        (lambda: Step(name="1st", wait="1d"), ("name",), "is not a name"),
        (lambda: Step(name="idle"), (), "step idle does nothing: give it one of notify, wait, wait_until"),
        (
            lambda: Step(name="both", wait="1d", task=a_task()),
            (),
            "step both has wait and task: a step does one thing",
        ),
        (lambda: Step(name="pause", wait="a while"), ("wait",), "is not a duration"),
        (lambda: a_definition(name=""), ("name",), "is not a name"),
        (lambda: a_definition(name="schema"), ("name",), "is the name of the schema"),
        (lambda: a_definition(priority=1001), ("priority",), "between -1000 and 1000"),
        (lambda: a_definition(holdout=Holdout(share=1.0)), ("share",), "between 0 and 1"),
        (lambda: Limits(starts_per_hour=0), ("starts_per_hour",), "at least 1"),
        (lambda: Goal(condition=" ", within="1d"), ("condition",), "must not be empty"),
        (lambda: Late(after="soon"), ("after",), "is not a duration"),
        (lambda: Assignee(), (), "give one of contact: ID, least_loaded"),
        (lambda: Assignee(round_robin=("ana", "ana")), ("round_robin",), "names somebody twice"),
        (lambda: Until(), (), "give a time, a date, or both"),
        (lambda: Until(time="9:00"), ("time",), "is not a time of day"),
        (lambda: Until(time="09:00", before="1d"), ("before",), "needs a date"),
        (lambda: Until(date="2026-03-01"), ("date",), "is a day: name the attribute"),
        (lambda: Until(date="d", before="1d", after="1d"), ("after",), "before or after, not both"),
        (lambda: Until(time="09:00", zone="Mars"), ("zone",), "there is no time zone"),
        (lambda: Webhook(endpoint="http://x"), ("endpoint",), "is not a name"),
        (lambda: WaitUntil(condition="true", timeout="x"), ("timeout",), "is not a duration"),
        (lambda: Branch(cases=()), ("cases",), "at least one case"),
        (lambda: Branch(cases=(CASE, CASE)), ("cases", 1, "name"), "there is a big before"),
        (lambda: Case(name="otherwise", when="true"), ("name",), "the way when no case holds"),
        (lambda: Split(paths=(Path(name="a"),)), ("paths",), "at least two paths"),
        (lambda: Path(name="a", share=0), ("share",), "must be above 0"),
        (lambda: Approve(title="x", by=()), ("by",), "at least one person"),
        (lambda: End(reason=" "), ("reason",), "must not be empty"),
        (
            lambda: a_definition(steps=[Step(name=f"s{n}", wait="1d") for n in range(201)]),
            ("steps",),
            "at most 200",
        ),
        (lambda: a_definition(steps=()), ("steps",), "at least one step"),
        (lambda: a_definition(steps=(WAIT, TASK, WAIT)), ("steps", 2, "name"), "there is a step wait before"),
    ],
)
def test_a_mistake_tells_its_place(
    make: Callable[[], object], place: tuple[str | int, ...], sentence: str
) -> None:
    with pytest.raises(DefinitionError, match=sentence) as refused:
        make()
    assert refused.value.place == place


def test_a_time_of_day_is_midnight_unless_told() -> None:
    assert Until(date="renewal_date").time_of_day == time(0, 0)
    assert Until(time="09:30").time_of_day == time(9, 30)


def test_a_step_knows_its_kind_and_what_it_does() -> None:
    assert [step.kind for step in (NOTIFY, WAIT, TASK)] == ["notify", "wait", "task"]
    assert NOTIFY.action is NOTIFY.notify
    assert TASK.action is TASK.task


def test_only_the_trigger_starts() -> None:
    definition = a_definition(threshold="at_risk", direction="entered")
    assert definition.starts_on("at_risk", "entered")
    assert not definition.starts_on("at_risk", "left")
    assert not definition.starts_on("critical", "entered")


def test_without_exit_rules_the_way_back_over_the_triggers_threshold_ends_a_run() -> None:
    entered, left = a_definition(direction="entered"), a_definition(direction="left")
    assert entered.exits_on("at_risk", "left")
    assert not entered.exits_on("at_risk", "entered")
    assert not entered.exits_on("critical", "left")
    assert left.exits_on("at_risk", "entered")


def test_exit_rules_are_the_whole_truth_when_given() -> None:
    definition = a_definition(exit_when=ExitWhen(left=("critical",), entered=("renewed",)))
    assert definition.exits_on("critical", "left")
    assert definition.exits_on("renewed", "entered")
    assert not definition.exits_on("renewed", "left")
    assert not definition.exits_on("at_risk", "left")
    assert not a_definition(exit_when=ExitWhen()).exits_on("at_risk", "left")
