"""Filters, the least change worth telling, and when an endpoint is disabled."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START

from notifier.domain.delivery import Answer
from notifier.domain.notification import Status
from notifier.domain.subscriptions import (
    Crossed,
    DisableRules,
    Filters,
    Fitness,
    Standing,
    about,
    after_attempt,
    moved_enough,
    wants_band,
    wants_crossing,
)

ACME = Standing(
    account_id="acme",
    score=42.0,
    band="at_risk",
    coverage=0.8,
    attributes={"segment": "enterprise", "plan": "pro", "owner": "maria", "team": "north"},
)
RULES = DisableRules(after=timedelta(days=3), given_up=3)
OK = Answer("accepted", "crm.example.com answered 204", 204)
DOWN = Answer("deferred", "crm.example.com answered 503", 503, fault=True)
GONE = Answer("refused", "crm.example.com answered 410", 410, gone=True)

scores = st.none() | st.floats(0, 100)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(), True),
        (Filters(segments=("enterprise", "smb")), True),
        (Filters(segments=("smb",)), False),
        (Filters(plans=("pro",), owners=("maria",)), True),
        (Filters(plans=("pro",), owners=("kim",)), False),
        (Filters(teams=("north",)), True),
        (Filters(teams=("south",)), False),
        (Filters(accounts=("acme",)), True),
        (Filters(accounts=("globex",)), False),
    ],
    ids=str,
)
def test_an_account_is_wanted_where_every_condition_holds(filters: Filters, wanted: bool) -> None:
    assert about(filters, ACME, None) is wanted


def test_an_account_without_an_attribute_is_in_no_group_of_it() -> None:
    assert not about(Filters(segments=("enterprise",)), replace(ACME, attributes={}), None)


def test_a_condition_has_the_last_word() -> None:
    assert about(Filters(), ACME, lambda standing: standing.score == 42.0)
    assert not about(Filters(), ACME, lambda standing: False)


def test_bands_are_those_entered() -> None:
    wanted = Filters(bands=("at_risk",))
    assert wants_band(wanted, "neutral", "at_risk")
    assert not wants_band(wanted, "at_risk", "neutral")
    assert not wants_band(wanted, "at_risk", "at_risk")
    assert not wants_band(Filters(events=("score",)), "neutral", "at_risk")


def test_crossings_are_wanted_by_threshold_and_direction() -> None:
    left = Crossed(threshold="at_risk", direction="left")
    assert wants_crossing(Filters(), left)
    assert wants_crossing(Filters(thresholds=("at_risk",)), left)
    assert not wants_crossing(Filters(thresholds=("nps",)), left)
    assert not wants_crossing(Filters(directions=("entered",)), left)
    assert not wants_crossing(Filters(events=("score", "band")), left)


@given(told=scores, after=scores, least=st.floats(0, 100))
def test_a_score_that_is_told_is_no_news_until_it_moved_by_the_least_change(
    told: float | None, after: float | None, least: float
) -> None:
    moved = moved_enough(told, after, least)
    assert not moved_enough(after, after, least)
    assert moved == moved_enough(after, told, least)
    if told is not None and after is not None and moved:
        assert abs(after - told) >= least


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.1, 50))
def test_slow_drifts_are_told_in_the_end(course: list[float], least: float) -> None:
    """Nobody who was told is ever further off than the least change."""
    told = course[0]
    for score in course:
        if moved_enough(told, score, least):
            told = score
        assert abs(score - told) < max(least, 0.01)


def test_an_endpoint_that_wants_no_more_is_disabled_at_once() -> None:
    _, reason = after_attempt(Fitness(), Status.FAILED, GONE, START, RULES)
    assert reason is not None
    assert "410" in reason


def test_an_endpoint_is_disabled_when_every_attempt_has_failed_for_days() -> None:
    fitness, reason = after_attempt(Fitness(), Status.RETRY, DOWN, START, RULES)
    assert (fitness, reason) == (Fitness(START, 0), None)
    later = START + timedelta(days=3)
    assert after_attempt(fitness, Status.RETRY, DOWN, later - timedelta(seconds=1), RULES)[1] is None
    assert after_attempt(fitness, Status.RETRY, DOWN, later, RULES)[1] is not None


def test_an_endpoint_is_disabled_when_too_many_deliveries_in_a_row_were_given_up() -> None:
    fitness, reasons = Fitness(), []
    for _ in range(3):
        fitness, reason = after_attempt(fitness, Status.FAILED, DOWN, START, RULES)
        reasons.append(reason)
    assert reasons[:2] == [None, None]
    assert reasons[2] is not None


@given(st.lists(st.sampled_from(["ok", "retry", "failed"]), max_size=30))
def test_one_success_makes_an_endpoint_well_again(course: list[str]) -> None:
    fitness, given_up, failing = Fitness(), 0, False
    for word in course:
        status = {"ok": Status.SENT, "retry": Status.RETRY, "failed": Status.FAILED}[word]
        fitness, reason = after_attempt(fitness, status, OK if word == "ok" else DOWN, START, RULES)
        given_up = 0 if word == "ok" else given_up + (word == "failed")
        failing = word != "ok"
        assert fitness == Fitness(START if failing else None, given_up)
        assert (reason is not None) == (failing and given_up >= RULES.given_up)


def test_an_attempt_that_we_broke_off_tells_nothing_of_the_endpoint() -> None:
    known = Fitness(START - timedelta(days=9), 2)
    cut_off = Answer("unknown", "crm.example.com was not waited for, as the service stops")
    assert after_attempt(known, Status.RETRY, cut_off, START, RULES) == (known, None)
