"""The shipped playbooks fit the scorecards, the notifier's templates and one another."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from notifier.adapters.templates.reader import shipped
from playbooks.adapters.definitions import load_directory
from playbooks.domain.actions import Notify, Task
from playbooks.domain.definition import Definition
from playbooks.domain.durations import working_days
from playbooks.domain.scopes import placed_conditions, unreachable_steps
from playbooks.domain.steps import Step
from playbooks.settings import SHIPPED

PLAYBOOKS = {each.name: each for each in load_directory(SHIPPED)}
ALARMS = {"account_at_risk", "account_critical"}
PURPOSES = {
    "onboarding_stalled": "adoption",
    "usage_falling": "adoption",
    "champion_left": "relationship",
    "support_escalated": "support",
    "nps_detractor": "feedback",
    "nps_promoter": "feedback",
    "renewal": "renewal",
    "notice_due": "notice",
    "payment_failed": "billing",
    "licences_nearly_used": "expansion",
    "goal_reached": "outcome",
    "goal_at_risk": "outcome",
    "business_review": "review",
}
CATEGORIES = {"notice": "renewal", "review": "relationship"}
"""What people consent to, where that is wider than the purpose."""
AT_ONCE = {"onboarding_stalled", "champion_left", "support_escalated", "nps_detractor"}
"""Those that give work in the moment of the crossing; nobody is written to before a wait, but by the two alarms."""

every = pytest.mark.parametrize("name", sorted(PLAYBOOKS))
every_but_alarms = pytest.mark.parametrize("name", sorted(PURPOSES))


def steps_of(name: str) -> list[Step]:
    return [step for step, _ in PLAYBOOKS[name].all_steps()]


def messages(name: str) -> Iterator[tuple[Step, Notify]]:
    return ((step, step.notify) for step in steps_of(name) if step.notify is not None)


def tasks(name: str) -> list[Task]:
    return [step.task for step in steps_of(name) if step.task is not None]


def cards() -> dict[str, set[str]]:
    """The thresholds of each shipped scorecard, as its file has them."""
    folder = files("health_score").joinpath("scorecards")
    documents = [yaml.safe_load(each.read_text(encoding="utf-8")) for each in folder.iterdir()]
    return {each["name"]: set(each["thresholds"]) for each in documents}


def thresholds_of(playbook: Definition) -> set[str]:
    exits = playbook.exit_when
    return {playbook.trigger.threshold, *(() if exits is None else (*exits.left, *exits.entered))}


def test_there_is_one_for_every_situation() -> None:
    assert set(PLAYBOOKS) == ALARMS | set(PURPOSES)


TEMPLATES = {each.name for each in shipped() if each.document["kind"] == "template"}


@every_but_alarms
def test_each_serves_its_purpose(name: str) -> None:
    assert PLAYBOOKS[name].serves == PURPOSES[name]


def test_of_two_with_one_purpose_one_goes_before_the_other() -> None:
    found = [(each.serves, each.priority) for each in PLAYBOOKS.values()]
    assert len(found) == len(set(found))
    for first, second in [
        ("onboarding_stalled", "usage_falling"),
        ("nps_detractor", "nps_promoter"),
        ("goal_at_risk", "goal_reached"),
    ]:
        assert PLAYBOOKS[first].priority > PLAYBOOKS[second].priority


def test_the_mails_of_what_cannot_wait_go_before_others_and_their_priority_decides_on_nothing_else() -> None:
    urgent = (
        "account_critical",
        "support_escalated",
        "notice_due",
        "payment_failed",
        "renewal",
        "account_at_risk",
    )
    others = max(each.priority for name, each in PLAYBOOKS.items() if name not in urgent)
    purposes = [each.serves for each in PLAYBOOKS.values()]
    for name in urgent:
        assert PLAYBOOKS[name].priority > others
        assert purposes.count(PLAYBOOKS[name].serves) == 1


@every
def test_its_thresholds_are_on_every_card_that_can_start_it(name: str) -> None:
    on = cards()
    wanted = {"onboarding"} if name == "onboarding_stalled" else set(on)
    for card in wanted:
        assert thresholds_of(PLAYBOOKS[name]) <= on[card]


@every
def test_conditions_speak_only_of_thresholds_that_there_are(name: str) -> None:
    known = {*set.union(*cards().values()), "churned", "onboarding", "enterprise", "done", "met"}
    for each in placed_conditions(PLAYBOOKS[name]):
        assert set(re.findall(r"'(\w+)'", each.expression)) <= known


@every
def test_conditions_speak_only_of_numbers_that_every_card_has(name: str) -> None:
    folder = files("health_score").joinpath("scorecards")
    for file in folder.iterdir():
        dimensions = yaml.safe_load(file.read_text(encoding="utf-8"))["dimensions"]
        measures = {measure for each in dimensions.values() for measure in each["measures"]}
        for each in placed_conditions(PLAYBOOKS[name]):
            assert set(re.findall(r"\bvalues\.(\w+)", each.expression)) <= measures


@every
def test_its_templates_are_the_notifiers(name: str) -> None:
    assert {notify.template for _, notify in messages(name)} <= TEMPLATES


def test_no_template_is_without_a_playbook() -> None:
    used = {notify.template for name in PLAYBOOKS for _, notify in messages(name)}
    assert used == TEMPLATES - {"digest"}


@every
def test_what_goes_to_our_own_people_is_internal_and_nothing_else_is(name: str) -> None:
    for _, notify in messages(name):
        to_us = all(each.owner for each in notify.recipients)
        assert (notify.message_class == "internal") == to_us
        assert to_us or not any(each.owner for each in notify.recipients)


@every
def test_what_is_sold_to_a_customer_is_marketing(name: str) -> None:
    for step, notify in messages(name):
        if step.sales and notify.message_class != "internal":
            assert notify.message_class == "marketing"


@every_but_alarms
def test_its_messages_have_the_category_of_its_purpose(name: str) -> None:
    purpose = PURPOSES[name]
    assert {notify.category for _, notify in messages(name)} == {CATEGORIES.get(purpose, purpose)}


@every
def test_customers_who_have_left_are_left_alone(name: str) -> None:
    assert "account.stage" in PLAYBOOKS[name].audience
    assert any(each in PLAYBOOKS[name].audience for each in ("churned", "== 'onboarding'"))


@every
def test_a_fault_of_the_score_reaches_only_so_many(name: str) -> None:
    playbook = PLAYBOOKS[name]
    assert playbook.limits is not None
    if any(notify.message_class != "internal" for _, notify in messages(name)):
        assert playbook.limits.starts_per_hour <= 500


@every
def test_its_effect_can_be_measured_and_nobody_is_held_out_unasked(name: str) -> None:
    assert PLAYBOOKS[name].goal is not None
    assert PLAYBOOKS[name].holdout is None


@every
def test_it_says_what_it_is_for(name: str) -> None:
    assert len(PLAYBOOKS[name].description) > 40
    assert (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8").startswith("# ")


@every_but_alarms
def test_people_have_working_days_for_what_they_are_to_do(name: str) -> None:
    for task in tasks(name):
        assert working_days(task.due_in) is not None or task.due_in == "1d"
        assert task.assignee == "owner"


@every_but_alarms
def test_nobody_is_written_to_before_a_wait(name: str) -> None:
    first, second = PLAYBOOKS[name].steps[:2]
    assert (first.kind == "task") == (name in AT_ONCE)
    assert (second if name in AT_ONCE else first).kind in ("wait", "wait_until")


@every
def test_every_step_can_be_reached(name: str) -> None:
    assert not list(unreachable_steps(PLAYBOOKS[name]))


def test_no_two_playbooks_ask_for_the_same_open_task() -> None:
    identities = [
        (name, identity)
        for name in PLAYBOOKS
        for identity in sorted({(each.type, each.reason) for each in tasks(name)})
    ]
    assert len(identities) == len({identity for _, identity in identities})


def test_the_alarms_tell_the_owner_at_once() -> None:
    for name in ALARMS:
        first = PLAYBOOKS[name].steps[0].notify
        assert first is not None
        assert (first.template, [each.owner for each in first.recipients]) == (name, [True])


@every
def test_the_reference_tells_of_it(name: str) -> None:
    reference = (Path(__file__).parents[4] / "docs" / "playbooks-shipped.md").read_text(encoding="utf-8")
    assert f"| `{name}` |" in reference
    assert f"**`{name}`" in reference or f", `{name}`.**" in reference
