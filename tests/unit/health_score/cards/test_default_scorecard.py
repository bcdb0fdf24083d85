"""The shipped scorecard judges as a leader of customer success expects."""

from collections.abc import Iterable
from math import log2
from typing import Any

import pytest
from tests.unit.health_score.domain.examples import DAY, NOW, account, fact, look_at, model_of

from health_score.application.scorecard_file import default_scorecard
from health_score.domain.account import AccountState, fold
from health_score.domain.compiled import compile_card
from health_score.domain.evaluation import Evaluation
from health_score.domain.fact import Fact

MODEL = model_of(compile_card(default_scorecard()))


def used(*days_ago: float) -> list[Fact]:
    return [fact("csm.usage.recorded", NOW - ago * DAY, feature="report") for ago in days_ago]


def nps(score: int, days_ago: float = 0) -> Fact:
    return fact("csm.survey.answered", NOW - days_ago * DAY, kind="nps", score=score)


def invoice(id_: str, status: str, days_ago: float = 0) -> Fact:
    return fact("csm.invoice.changed", NOW - days_ago * DAY, invoice_id=id_, status=status)


def urgent(number: int, status: str = "open", days_ago: float = 0) -> Fact:
    return fact(
        "csm.ticket.changed",
        NOW - days_ago * DAY,
        ticket_id=f"t{number}",
        status=status,
        priority="urgent",
        escalated=True,
    )


def look(state: AccountState, *facts: Fact, at: float = NOW) -> Evaluation:
    for each in facts:
        fold(MODEL, state, each)
    return look_at(MODEL, state, at)


def crossed(found: Evaluation) -> set[tuple[str, str]]:
    return {(each.threshold, each.direction) for each in found.crossings}


def healthy_until(days_ago: float) -> list[Fact]:
    """Three uses a day for two months, content, and paying, until so many days ago."""
    daily = (days_ago + day for day in range(60) for _ in range(3))
    return [*used(*daily), nps(9, days_ago + 30), invoice("i1", "paid", days_ago + 30)]


def test_active_today_content_and_paying_is_healthy() -> None:
    found = look(AccountState("acme"), *used(0.1, 0.2, 0.3), nps(9, 20), invoice("i1", "paid", 10))
    assert found.assessment.band == "healthy"
    assert crossed(found) == {("nps_promoter", "entered")}


@pytest.mark.parametrize("history", [healthy_until(20), used(*(20 + day for day in range(60)))])
def test_silence_and_escalated_tickets_are_at_risk_and_more_bad_news_is_critical(
    history: Iterable[Fact],
) -> None:
    state = AccountState("acme")
    assert look(state, *history, at=NOW - 20 * DAY).assessment.band == "healthy"
    found = look(state, urgent(1), urgent(2), urgent(3))
    assert found.assessment.band in ("at_risk", "critical")
    assert ("at_risk", "entered") in crossed(found)
    worse = look(state, invoice("i2", "failed"), nps(2))
    assert worse.assessment.band == "critical"
    assert ("payment_overdue", "entered") in crossed(worse)


def test_an_account_of_which_only_escalated_tickets_are_known_alerts() -> None:
    state = AccountState("acme")
    assert crossed(look(state, urgent(1))) == {("at_risk", "entered"), ("escalated", "entered")}
    assert look(state, urgent(2)).assessment.band == "at_risk"
    third = look(state, urgent(3))
    assert third.assessment.band == "critical"
    assert crossed(third) == {("critical", "entered")}


def test_solved_tickets_and_usage_leave_the_thresholds() -> None:
    state = account(MODEL, healthy_until(20))
    found = look(state, *(urgent(number) for number in (1, 2, 3)), invoice("i2", "failed"), nps(2))
    entered = {name for name, _ in crossed(found)}
    assert entered == {"at_risk", "critical", "payment_overdue", "escalated", "nps_detractor"}
    solved = [urgent(number, "solved", days_ago=-1) for number in (1, 2, 3)]
    recovered = look(state, *solved, *used(-1, -1, -1), invoice("i2", "paid", -1), at=NOW + DAY)
    assert crossed(recovered) == {(name, "left") for name in entered - {"nps_detractor"}}
    assert recovered.assessment.band in ("neutral", "healthy")


def test_silence_alone_enters_at_risk_at_the_foretold_instant() -> None:
    state = account(MODEL, healthy_until(0))
    found = look(state)
    dues = []
    while found.due is not None and ("at_risk", "entered") not in crossed(found):
        dues.append(found.due)
        assert not crossed(look(state, at=found.due - 1))
        found = look(state, at=found.due)
    assert ("at_risk", "entered") in crossed(found)
    assert 7 * DAY < dues[-1] - NOW < 30 * DAY
    assert found.at == dues[-1]


def test_a_renewal_in_90_days_is_told_when_it_comes_near_and_once() -> None:
    state = AccountState("acme")
    first = look(state, fact("csm.account.changed", NOW, renewal_date="2026-06-30"))
    assert not crossed(first)
    assert first.due is not None
    found = look(state, at=first.due)
    assert crossed(found) == {("renewal_due", "entered")}
    assert found.assessment.values["days_to_renewal"] == pytest.approx(90, abs=1e-4)
    near = passing(state, found, until=("renewal_60", "entered"))
    nearer = passing(state, near, until=("renewal_30", "entered"))
    assert (nearer.at - near.at) / DAY == pytest.approx(30, abs=1e-4)
    assert nearer.due is None
    renewed = look(state, fact("csm.account.changed", nearer.at, renewal_date="2027-06-30"), at=nearer.at)
    assert crossed(renewed) == {(f"renewal_{each}", "left") for each in ("due", "60", "30")}


def test_a_renewal_years_ahead_is_not_missed_by_an_account_that_stays_silent() -> None:
    found = look(AccountState("acme"), fact("csm.account.changed", NOW, renewal_date="2031-03-02T09:00:00"))
    assert found.due == pytest.approx(NOW + (5 * 365 + 1 - 90) * DAY, abs=1)


def test_a_few_everyday_tickets_do_no_harm() -> None:
    tickets = [
        fact("csm.ticket.changed", ticket_id=f"t{n}", status="open", priority="normal") for n in range(2)
    ]
    found = look(AccountState("acme"), *healthy_until(0), *tickets)
    assert found.assessment.band == "healthy"


def test_csat_on_another_scale_is_not_mixed_in() -> None:
    found = look(
        AccountState("acme"),
        fact("csm.survey.answered", kind="csat", score=4),
        fact("csm.survey.answered", kind="csat", score=9, scale_max=10),
    )
    assert found.assessment.values["csat"] == 4.0


def test_the_worked_example_of_the_reference() -> None:
    state = account(
        MODEL,
        [
            *used(*[28.0] * 16, *[14.0] * 32),
            fact("csm.ticket.changed", NOW - DAY, ticket_id="t1", status="open", priority="high"),
            nps(8, 60),
            goal(NOW, target=10, current=5, expected=10, confirmed_by_customer=True),
            invoice("i1", "paid", 7),
        ],
    )
    found = look(state)
    assert found.assessment.dimensions == {
        "adoption": pytest.approx(37.5),
        "support": 91.0,
        "satisfaction": 70.0,
        "outcome": 45.0,
        "relationship": None,
        "commercial": 100.0,
    }
    assert found.assessment.score == pytest.approx(6500 / 105, abs=1e-6)
    assert found.assessment.coverage == pytest.approx(89.5 / 115)
    assert found.assessment.caps == ()
    assert crossed(found) == {("goals_at_risk", "entered")}
    fallen = passing(state, found, until=("at_risk", "entered"))
    assert (fallen.at - NOW) / DAY == pytest.approx(14 * log2(20 / 3.125), abs=1e-4)


def test_an_answer_of_9_is_a_promoter_and_of_8_no_longer() -> None:
    state = account(MODEL, healthy_until(0))
    assert ("nps_promoter", "entered") in crossed(look(state, nps(9)))
    assert ("nps_promoter", "left") in crossed(look(state, nps(8, -1), at=NOW + DAY))


def test_goals_are_reached_once_all_are_and_again_after_a_new_one() -> None:
    state = account(MODEL, [goal(NOW - 9 * DAY, target=10, current=4, due="2026-12-31")])
    assert not crossed(look(state))
    assert crossed(look(state, goal(NOW, current=10))) == {("goal_reached", "entered")}
    second = fact("csm.goal.changed", NOW + 1, goal_id="g2", target=5, current=1, due="2027-03-01")
    assert crossed(look(state, second, at=NOW + 1)) == {("goal_reached", "left")}
    reached = fact("csm.goal.changed", NOW + 2, goal_id="g2", current=5)
    assert crossed(look(state, reached, at=NOW + 2)) == {("goal_reached", "entered")}


def test_a_business_review_is_due_half_a_year_after_the_last_one_or_the_kickoff() -> None:
    state = AccountState("acme")
    found = look(state, fact("csm.touchpoint.occurred", touchpoint="kickoff", direct=True))
    due = passing(state, found, until=("review_due", "entered"))
    assert (due.at - NOW) / DAY == pytest.approx(180, abs=1e-4)
    held = fact("csm.touchpoint.occurred", due.at, touchpoint="business_review", direct=True)
    again = look(state, held, at=due.at)
    assert ("review_due", "left") in crossed(again)
    next_one = passing(state, again, until=("review_due", "entered"))
    assert (next_one.at - due.at) / DAY == pytest.approx(180, abs=1e-4)


def passing(state: AccountState, found: Evaluation, *, until: tuple[str, str]) -> Evaluation:
    """The evaluation in which a threshold is crossed by the passing of time alone."""
    while until not in crossed(found):
        assert found.due is not None
        found = look(state, at=found.due)
    return found


def goal(time: float, **told: Any) -> Fact:
    return fact("csm.goal.changed", time, goal_id="g1", **told)


def test_half_of_the_habit_is_told_after_three_days_and_not_weighed() -> None:
    state = account(MODEL, used(*(day + hour / 8 for day in range(1, 90) for hour in range(4))))
    found = look(state)
    fallen = passing(state, found, until=("usage_falling", "entered"))
    assert 5 * DAY < fallen.at - NOW < 12 * DAY
    assert fallen.assessment.parts["usage_trend"] is None


def test_a_champion_who_leaves_holds_a_thriving_account_at_risk_until_there_is_another() -> None:
    state = account(MODEL, healthy_until(0))
    stays = fact("csm.contact.changed", NOW - 9 * DAY, contact_id="kim", role="champion", active=True)
    gone = fact("csm.contact.changed", NOW, contact_id="kim", role="champion", active=False)
    assert look(state, stays).assessment.caps == ()
    found = look(state, gone)
    assert (found.assessment.band, found.assessment.caps) == ("at_risk", ("champion_gone",))
    assert found.assessment.score == 49.99
    assert (found.assessment.computed or 0) > 75
    assert crossed(found) == {("at_risk", "entered"), ("champion_left", "entered")}
    other = fact("csm.contact.changed", NOW + 1, contact_id="lou", role="champion", active=True)
    assert crossed(look(state, other, at=NOW + 1)) == {("at_risk", "left"), ("champion_left", "left")}


def test_contacts_of_other_roles_say_nothing_about_champions() -> None:
    found = look(
        AccountState("acme"), fact("csm.contact.changed", contact_id="dana", role="owner", active=False)
    )
    assert found.assessment.values["champions"] is None
    assert found.assessment.caps == ()


def test_use_without_outcome_is_never_healthy() -> None:
    found = look(
        AccountState("acme"), *healthy_until(0), goal(NOW, target=10, current=2, confirmed_by_customer=True)
    )
    assert (found.assessment.band, found.assessment.caps) == ("neutral", ("no_outcome",))


@pytest.mark.parametrize(
    "only",
    [
        [nps(0)],
        [invoice("i1", "failed")],
        [fact("csm.sentiment.recorded", sentiment=5)],
        [fact("csm.touchpoint.occurred", NOW - 300 * DAY, touchpoint="call", direct=True)],
    ],
    ids=["survey", "invoice", "sentiment", "silence"],
)
def test_too_little_data_does_not_alarm_by_the_score(only: list[Fact]) -> None:
    found = look(AccountState("acme"), *only)
    assert not {name for name, _ in crossed(found)} & {"at_risk", "critical"}


def test_one_use_today_and_nothing_else_is_no_risk() -> None:
    assert look(AccountState("acme"), *used(0.01)).assessment.band == "healthy"


def test_seats_nobody_uses_weigh_on_adoption_only_where_seats_are_known() -> None:
    people = [fact("csm.usage.recorded", NOW - 60, feature="f", user_id=f"u{n}") for n in range(12)]
    without = look(AccountState("acme"), *people).assessment
    with_seats = look(AccountState("acme"), *people, fact("csm.account.changed", seats=120)).assessment
    assert without.values["seat_use"] is None
    assert with_seats.values["seat_use"] == pytest.approx(0.1, abs=1e-3)
    assert (with_seats.score or 0) < (without.score or 0)
