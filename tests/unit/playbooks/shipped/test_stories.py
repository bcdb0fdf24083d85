"""Each shipped playbook told in time: who hears what when, what the size of the account changes, what spares people."""

import pytest
from tests.unit.playbooks.shipped.story import Story


async def test_an_alarm_tells_at_once_and_asks_after_two_days() -> None:
    story = Story(score=45)
    await story.crosses("at_risk")
    await story.until(10)
    assert await story.heard() == ["Mon 02 Mar 11:00 tell_owner", "Wed 04 Mar 11:00 follow_up"]


async def test_who_falls_through_both_levels_is_told_of_both() -> None:
    story = Story(score=20)
    await story.crosses("at_risk")
    await story.crosses("critical")
    await story.until(1)
    assert await story.ends() == {"account_at_risk": "active", "account_critical": "completed"}
    assert await story.heard("account_critical") == [
        "Mon 02 Mar 11:00 tell_owner",
        "Mon 02 Mar 11:00 rescue",
    ]


async def test_a_stalled_onboarding_is_called_then_written_to_then_its_sponsor_comes_in() -> None:
    story = Story(stage="onboarding")
    await story.crosses("onboarding_stalled")
    await story.until(30)
    assert await story.heard() == [
        "Mon 02 Mar 11:00 call_them",
        "Tue 03 Mar 09:00 tell_owner",
        "Thu 05 Mar 10:00 write_next_step",
        "Thu 12 Mar 10:00 bring_in_the_sponsor",
    ]


async def test_the_letter_in_an_onboarding_is_tried_in_two_ways() -> None:
    letters = set()
    for number in range(8):
        story = Story(stage="onboarding", account=f"acct-{number}")
        await story.crosses("onboarding_stalled")
        await story.until(5)
        letters.add((await story.heard())[-1].split()[-1])
    assert letters == {"write_next_step", "write_offer_help"}


async def test_who_has_been_called_gets_no_letter() -> None:
    story = Story(stage="onboarding", done={"call_them": 1})
    await story.crosses("onboarding_stalled")
    await story.until(5)
    assert [each.split()[-1] for each in await story.heard()] == ["call_them", "tell_owner"]


async def test_an_onboarding_that_is_over_is_not_stalled() -> None:
    story = Story(stage="onboarding")
    await story.crosses("onboarding_stalled")
    await story.becomes(day=1, attributes={"stage": "customer"})
    await story.until(30)
    assert len(await story.heard()) == 2
    assert await story.ends() == {"onboarding_stalled": "exited"}


async def test_a_small_account_whose_use_falls_is_asked_after_a_week() -> None:
    story = Story()
    await story.crosses("usage_falling")
    await story.until(30)
    assert await story.heard() == [
        "Tue 03 Mar 09:00 tell_owner",
        "Tue 03 Mar 09:00 find_out",
        "Tue 10 Mar 10:00 ask_them",
    ]


@pytest.mark.parametrize(
    ("said", "told"), [("yes", ["may_we_train", "arrange_workshop"]), ("no", ["may_we_train"])]
)
async def test_a_large_account_gets_a_workshop_if_its_owner_approves(said: str, told: list[str]) -> None:
    story = Story(arr=90_000.0, said={"may_we_train": said})
    await story.crosses("usage_falling")
    await story.until(30)
    assert [each.split()[-1] for each in await story.heard()] == ["tell_owner", "find_out", *told]


async def test_a_champion_is_asked_for_an_introduction_at_once_and_then_another_is_sought() -> None:
    story = Story(segment="enterprise")
    await story.crosses("champion_left")
    await story.until(60)
    assert await story.heard() == [
        "Mon 02 Mar 11:00 get_introduced",
        "Tue 03 Mar 09:00 tell_owner",
        "Tue 17 Mar 09:00 win_another",
        "Tue 31 Mar 10:00 from_the_top",
    ]


async def test_an_escalation_has_an_owner_at_once_and_the_leads_after_two_days() -> None:
    story = Story()
    await story.crosses("escalated")
    await story.until(10)
    assert await story.heard() == [
        "Mon 02 Mar 11:00 own_it",
        "Mon 02 Mar 11:15 tell_owner",
        "Thu 05 Mar 09:00 tell_owner_again",
        "Thu 05 Mar 09:00 bring_in_the_leads",
    ]


async def test_an_escalation_taken_back_within_minutes_writes_to_nobody() -> None:
    story = Story()
    await story.crosses("escalated")
    await story.crosses("escalated", "left", day=10 / 1440)
    await story.crosses("escalated", day=0.1)
    await story.until(0.2)
    assert [each.split()[-1] for each in await story.heard()] == ["own_it", "own_it", "tell_owner"]


async def test_a_detractor_is_called_back_reminded_of_and_told_what_became_of_it() -> None:
    story = Story()
    await story.crosses("nps_detractor")
    await story.crosses("nps_detractor", "left", day=5)
    await story.until(60)
    assert await story.heard() == [
        "Mon 02 Mar 11:00 call_back",
        "Tue 03 Mar 09:00 tell_owner",
        "Tue 10 Mar 09:00 call_back_now",
        "Tue 31 Mar 10:00 close_the_loop",
    ]


async def test_a_detractor_who_was_called_back_needs_no_reminder() -> None:
    story = Story(done={"call_back": 1})
    await story.crosses("nps_detractor")
    await story.until(60)
    assert [each.split()[-1] for each in await story.heard()] == ["call_back", "tell_owner", "close_the_loop"]


async def test_a_promoter_is_asked_two_days_later_some_by_mail_first_all_in_person() -> None:
    ways = set()
    for number in range(8):
        story = Story(account=f"acct-{number}")
        await story.crosses("nps_promoter")
        await story.until(30)
        heard = await story.heard()
        assert heard[0] == "Thu 05 Mar 09:00 tell_owner"
        ways.add(tuple(each.split()[-1] for each in heard[1:]))
    assert ways == {("ask_by_mail", "ask_in_person"), ("ask_in_person",)}


@pytest.mark.parametrize(
    "known",
    [{"score": 65.0}, {"score": None}, {"thresholds": ("goals_at_risk",)}, {"reference": True}],
    ids=["unwell", "unknown", "behind", "asked before"],
)
async def test_only_a_promoter_without_worries_is_asked(known: dict[str, object]) -> None:
    story = Story(**known)  # type: ignore[arg-type]
    await story.crosses("nps_promoter")
    await story.until(30)
    assert await story.heard() == []


async def test_a_healthy_renewal_has_a_plan_then_terms_then_a_signature() -> None:
    story = Story()
    await story.crosses("renewal_due")
    await story.crosses("renewal_60", day=30)
    await story.crosses("renewal_30", day=60)
    await story.until(120)
    assert await story.heard() == [
        "Tue 03 Mar 09:00 tell_owner",
        "Tue 03 Mar 09:00 plan",
        "Thu 02 Apr 09:00 tell_owner_at_60",
        "Thu 02 Apr 09:00 terms",
        "Mon 04 May 09:00 tell_owner_at_30",
        "Mon 04 May 09:00 signature",
    ]


@pytest.mark.parametrize(
    ("said", "told"), [("yes", ["may_we_offer", "offer"]), ("no", ["may_we_offer"]), (None, ["may_we_offer"])]
)
async def test_better_terms_are_offered_in_danger_and_with_a_yes(said: str | None, told: list[str]) -> None:
    story = Story(
        score=50, thresholds=("renewal_60", "renewal_30"), said={"may_we_offer": said} if said else {}
    )
    await story.crosses("renewal_due")
    await story.until(60)
    assert [each.split()[-1] for each in await story.heard()] == ["tell_owner_at_30", "signature", *told]


async def test_a_small_renewal_begins_at_60_days() -> None:
    story = Story(arr=5_000.0)
    await story.crosses("renewal_due")
    await story.crosses("renewal_60", day=30)
    await story.until(40)
    assert await story.heard() == ["Thu 02 Apr 09:00 tell_owner_at_60", "Thu 02 Apr 09:00 terms"]


async def test_a_contract_that_is_renewed_early_is_left_alone() -> None:
    story = Story()
    await story.crosses("renewal_due")
    await story.crosses("renewal_due", "left", day=20)
    await story.until(120)
    assert len(await story.heard()) == 2
    assert await story.ends() == {"renewal": "exited"}


@pytest.mark.parametrize(
    ("done", "times"), [({"know_the_decision": 3}, 2), ({}, 3)], ids=["known", "unknown"]
)
async def test_a_decision_that_is_known_is_not_asked_for_again(done: dict[str, float], times: int) -> None:
    story = Story(done=done)
    await story.crosses("notice_due")
    await story.until(30)
    heard = [
        "Tue 03 Mar 09:00 tell_owner",
        "Tue 03 Mar 09:00 know_the_decision",
        "Tue 17 Mar 09:00 ask_today",
    ]
    assert await story.heard() == heard[:times]


async def test_a_payment_may_heal_then_billing_is_written_to_then_the_owner_asks() -> None:
    story = Story()
    await story.crosses("payment_overdue")
    await story.until(30)
    assert await story.heard() == [
        "Wed 04 Mar 09:00 write_to_billing",
        "Mon 09 Mar 09:00 tell_owner",
        "Mon 09 Mar 09:00 find_out",
        "Mon 16 Mar 09:00 decide",
    ]


async def test_a_payment_that_heals_within_a_day_is_nobodys_news() -> None:
    story = Story()
    await story.crosses("payment_overdue")
    await story.crosses("payment_overdue", "left", day=0.9)
    await story.until(30)
    assert await story.heard() == []


async def test_a_small_account_is_written_to_about_more_licences() -> None:
    story = Story()
    await story.crosses("licences_nearly_used")
    await story.until(30)
    assert await story.heard() == [
        "Tue 03 Mar 09:00 tell_owner",
        "Tue 03 Mar 10:00 write_to_champion",
        "Fri 13 Mar 10:00 ask",
    ]


@pytest.mark.parametrize(("said", "told"), [("yes", ["offer"]), ("no", [])])
async def test_a_large_account_gets_a_price_of_its_own_with_a_yes(said: str, told: list[str]) -> None:
    story = Story(segment="enterprise", said={"may_we_offer": said})
    await story.crosses("licences_nearly_used")
    await story.until(30)
    assert [each.split()[-1] for each in await story.heard()] == [
        "tell_owner",
        "prepare",
        "may_we_offer",
        *told,
    ]


async def test_growth_waits_until_health_allows_it() -> None:
    story = Story(score=60)
    await story.crosses("licences_nearly_used")
    await story.becomes(day=20, score=75.0)
    await story.until(21)
    assert await story.heard() == ["Mon 23 Mar 09:00 tell_owner", "Mon 23 Mar 10:00 write_to_champion"]


async def test_growth_that_health_never_allows_is_given_up() -> None:
    story = Story(thresholds=("goals_at_risk",))
    await story.crosses("licences_nearly_used")
    await story.until(61)
    assert await story.heard() == []
    assert await story.reason("licences_nearly_used") == "health and goals did not allow it for 60 days"


async def test_growth_ends_with_the_goals() -> None:
    story = Story()
    await story.crosses("licences_nearly_used")
    await story.crosses("goals_at_risk", day=5)
    await story.until(30)
    assert [each.split()[-1] for each in await story.heard("licences_nearly_used")] == [
        "tell_owner",
        "write_to_champion",
    ]
    assert (await story.ends())["licences_nearly_used"] == "exited"


@pytest.mark.parametrize(
    ("promoter", "told"), [((), []), (("nps_promoter",), ["tell_the_story"])], ids=["passive", "promoter"]
)
async def test_a_goal_is_shown_and_a_promoter_asked_for_the_story(
    promoter: tuple[str, ...], told: list[str]
) -> None:
    story = Story(thresholds=promoter, done={"show_the_value": 3})
    await story.crosses("goal_reached")
    await story.crosses("goal_reached", "left", day=2)  # the next goal is agreed upon
    await story.until(30)
    assert (await story.heard())[0] == "Tue 03 Mar 09:00 tell_owner"
    assert [each.split()[-1] for each in await story.heard()] == ["tell_owner", "show_the_value", *told]


async def test_a_goal_that_nobody_shows_is_given_up() -> None:
    story = Story(thresholds=("nps_promoter",))
    await story.crosses("goal_reached")
    await story.until(30)
    assert await story.reason("goal_reached") == "nobody has shown it to them within three weeks"


@pytest.mark.parametrize(("goals", "told"), [(0.3, "agree_anew"), (0.55, "look_again"), (None, "look_again")])
async def test_a_plan_is_looked_at_and_made_anew_where_it_is_far_behind(
    goals: float | None, told: str
) -> None:
    story = Story()
    await story.becomes(values={"goals": goals})
    await story.crosses("goals_at_risk")
    await story.until(30)
    assert await story.heard() == [
        "Tue 03 Mar 09:00 tell_owner",
        "Tue 03 Mar 09:00 look_at_the_plan",
        f"Tue 24 Mar 09:00 {told}",
    ]


@pytest.mark.parametrize(
    ("known", "told"),
    [({"segment": "enterprise"}, "executive_review"), ({}, "review"), ({"arr": 5_000.0}, "invite")],
    ids=["enterprise", "middle", "small"],
)
async def test_a_review_is_arranged_by_the_size_of_the_account(known: dict[str, object], told: str) -> None:
    story = Story(**known)  # type: ignore[arg-type]
    await story.crosses("review_due")
    await story.until(60)
    assert await story.heard() == [
        "Tue 03 Mar 09:00 tell_owner",
        f"Tue 03 Mar 09:00 {told}",
        "Tue 31 Mar 10:00 hold_it",
    ]


async def test_no_review_is_arranged_during_an_escalation() -> None:
    story = Story(thresholds=("escalated",))
    await story.crosses("review_due")
    await story.crosses("escalated", "left", day=9)
    await story.until(11)
    assert await story.heard() == ["Thu 12 Mar 09:00 tell_owner", "Thu 12 Mar 09:00 review"]


async def test_a_review_that_was_held_needs_no_reminder() -> None:
    story = Story()
    await story.crosses("review_due")
    await story.crosses("review_due", "left", day=14)
    await story.until(60)
    assert len(await story.heard()) == 2
