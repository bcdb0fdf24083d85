"""The shipped playbooks beside one another: recoveries, customers who leave, weekends, priorities, escalations."""

import pytest
from tests.unit.playbooks.shipped.story import PLAYBOOKS, Story

TRIGGERS = {each.name: each.definition.trigger.threshold for each in PLAYBOOKS}
GOES_ON = {"nps_detractor", "goal_reached"}
"""What a recovery does not end: a call was promised, a success is still to be shown."""

AT_ANY_TIME = {"account_at_risk", "account_critical", "support_escalated"}
SATURDAY = 5

every = pytest.mark.parametrize("name", sorted(TRIGGERS))


def an_account(name: str, **members: object) -> Story:
    """One that may enter the playbook."""
    stage = "onboarding" if name == "onboarding_stalled" else "customer"
    return Story(**{"stage": stage, **members})  # type: ignore[arg-type]


def steps(heard: list[str]) -> list[str]:
    return [each.split()[-1] for each in heard]


@every
async def test_a_recovery_spares_people_the_rest(name: str) -> None:
    story = an_account(name)
    await story.crosses(TRIGGERS[name])
    before = await story.heard()
    await story.crosses(TRIGGERS[name], "left", day=0.005)
    await story.until(120)
    if name in GOES_ON:
        assert len(await story.heard()) > len(before)
    else:
        assert await story.heard() == before


@every
async def test_a_customer_who_has_left_is_left_alone(name: str) -> None:
    story = Story(stage="churned")
    await story.crosses(TRIGGERS[name])
    await story.until(120)
    assert await story.heard() == []


@pytest.mark.parametrize("name", sorted(set(TRIGGERS) - {"account_at_risk", "account_critical"}))
async def test_a_customer_who_leaves_meanwhile_is_left_alone_from_then_on(name: str) -> None:
    story = an_account(name)
    await story.crosses(TRIGGERS[name])
    before = await story.heard()
    await story.becomes(day=0.005, attributes={"stage": "churned"})
    await story.until(120)
    assert await story.heard() == before


@pytest.mark.parametrize("name", sorted(set(TRIGGERS) - AT_ANY_TIME))
async def test_nobody_is_written_to_at_a_weekend(name: str) -> None:
    story = an_account(name)
    await story.crosses(TRIGGERS[name], day=SATURDAY)
    at_once = await story.heard()
    await story.until(SATURDAY + 1.5)
    assert await story.heard() == at_once
    assert "tell_owner" not in steps(at_once)


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        ("nps_promoter", "nps_detractor", "nps_detractor"),
        ("nps_detractor", "nps_promoter", "nps_detractor"),
        ("goal_reached", "goals_at_risk", "goal_at_risk"),
        ("goals_at_risk", "goal_reached", "goal_at_risk"),
    ],
)
async def test_of_one_purpose_the_more_urgent_goes_on(first: str, second: str, stays: str) -> None:
    story = Story()
    await story.crosses(first)
    await story.crosses(second, day=0.1)
    active = [name for name, status in (await story.ends()).items() if status == "active"]
    assert active == [stays]


async def test_a_stalled_onboarding_goes_before_use_that_falls() -> None:
    story = Story(stage="onboarding")
    await story.crosses("usage_falling")
    await story.crosses("onboarding_stalled", day=0.1)
    assert await story.ends() == {"usage_falling": "exited", "onboarding_stalled": "active"}


@pytest.mark.parametrize("threshold", ["usage_falling", "goals_at_risk", "goal_reached"])
async def test_whoever_is_critical_is_called_and_not_bothered_with_less(threshold: str) -> None:
    story = Story()
    await story.crosses(threshold)
    await story.crosses("critical", day=0.1)
    await story.until(60)
    assert steps(await story.heard()) == ["tell_owner", "rescue"]


async def test_a_renewal_and_its_day_of_notice_go_on_beside_each_other() -> None:
    story = Story()
    await story.crosses("notice_due")
    await story.crosses("renewal_due", day=0.1)
    await story.until(2)
    assert await story.ends() == {"notice_due": "active", "renewal": "active"}


@pytest.mark.parametrize("threshold", ["nps_promoter", "licences_nearly_used"])
async def test_nothing_is_sold_while_a_ticket_is_escalated(threshold: str) -> None:
    story = Story()
    name = next(name for name, trigger in TRIGGERS.items() if trigger == threshold)
    await story.crosses(threshold)
    await story.crosses("escalated", day=0.2)
    await story.until(9)
    assert await story.heard(name) == []
    await story.crosses("escalated", "left", day=9.5)
    await story.until(9.6)
    assert await story.heard(name) == ["Wed 11 Mar 23:00 tell_owner"]
    await story.until(30)
    assert (await story.heard(name))[1].startswith("Thu 12 Mar 10:00")


async def test_what_was_held_back_for_a_month_is_not_said_any_more() -> None:
    story = Story()
    await story.crosses("licences_nearly_used")
    await story.crosses("escalated", day=0.2)
    await story.until(60)
    assert await story.heard("licences_nearly_used") == []
    assert (await story.ends())["licences_nearly_used"] == "exited"
