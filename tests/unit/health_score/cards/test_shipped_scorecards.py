"""The three shipped scorecards: each complete, each for its accounts, and the demo's story told by all of them together."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.unit.health_score.domain.examples import DAY, NOW, fact

from csm_cli.demo.cast import CAST
from csm_cli.demo.facts import DemoFact
from csm_cli.demo.history import history
from csm_cli.demo.script import scenes
from health_score.adapters.conditions import compile_condition
from health_score.application.read_card import card_reader, shipped_cards
from health_score.application.scorecard_file import shipped_scorecard
from health_score.domain.account import AccountState, fold
from health_score.domain.evaluation import Cause, evaluate
from health_score.domain.fact import Fact
from health_score.domain.model import build_model

NAMES = ("default", "enterprise", "onboarding")
SHIPPED_AT = datetime(2026, 3, 2, tzinfo=UTC)
MODEL = build_model(1, map(card_reader(compile_condition), shipped_cards(SHIPPED_AT)))

DIMENSIONS = {"adoption", "support", "satisfaction", "relationship", "outcome", "commercial"}
EVERYWHERE = {
    "at_risk", "critical", "renewal_due", "renewal_60", "renewal_30", "notice_due", "payment_overdue", "escalated",
    "nps_detractor", "nps_promoter", "champion_left", "goals_at_risk", "goal_reached", "usage_falling", "licences_nearly_used",
    "review_due",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_each_has_all_dimensions_and_the_thresholds_that_playbooks_count_on(name: str) -> None:
    card = shipped_scorecard(name)
    assert {each.name for each in card.dimensions} == DIMENSIONS
    assert {each.name for each in card.thresholds} >= EVERYWHERE
    assert {each.name: each.band for each in card.knockouts} == {
        "champion_gone": "at_risk",
        "no_outcome": "neutral",
    }
    assert [each.name for each in card.bands] == ["critical", "at_risk", "neutral", "healthy"]
    assert card.title
    assert all(each.title and each.unit for each in card.measures)
    assert all(each.reason for each in card.knockouts)


@pytest.mark.parametrize("name", NAMES)
def test_a_verdict_on_the_score_needs_some_data(name: str) -> None:
    levels = {each.name: each for each in shipped_scorecard(name).thresholds}
    for threshold in (levels["at_risk"], levels["critical"]):
        assert threshold.min_coverage > 0
        assert threshold.exit > threshold.enter


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({}, "default"),
        ({"segment": "smb", "stage": "customer"}, "default"),
        ({"segment": "enterprise"}, "enterprise"),
        ({"segment": "enterprise", "stage": "onboarding"}, "onboarding"),
        ({"stage": "onboarding"}, "onboarding"),
        ({"segment": 7, "stage": None}, "default"),
    ],
)
def test_stage_goes_before_segment_and_the_default_judges_the_rest(
    attributes: dict[str, Any], name: str
) -> None:
    assert MODEL.card_for(attributes).card.name == name


@pytest.mark.parametrize("attributes", [{}, {"segment": "enterprise"}, {"stage": "onboarding"}], ids=NAMES)
def test_a_use_today_is_well_and_three_escalations_are_critical(attributes: dict[str, Any]) -> None:
    state = AccountState("acme")
    told = [
        fact("csm.account.changed", NOW - DAY, **attributes),
        fact("csm.usage.recorded", NOW - 60, feature="f"),
    ]
    for each in told:
        fold(MODEL, state, each)
    [found] = evaluate(MODEL, state, NOW, Cause())
    assert found.assessment.band == "healthy"

    state = AccountState("acme")
    ticket: dict[str, Any] = {"status": "open", "priority": "urgent", "escalated": True}
    for each in [told[0], *(fact("csm.ticket.changed", NOW, ticket_id=f"t{n}", **ticket) for n in range(3))]:
        fold(MODEL, state, each)
    [found] = evaluate(MODEL, state, NOW, Cause())
    assert found.assessment.band == "critical"


def test_an_onboarding_that_nobody_works_on_stalls_within_days() -> None:
    state = AccountState("acme")
    goal: dict[str, Any] = {"goal_id": "live", "target": 1, "current": 0, "due": "2026-03-30T09:00:00"}
    for each in [
        fact("csm.account.changed", NOW, stage="onboarding", seats=20),
        fact("csm.usage.recorded", NOW, feature="f", user_id="u1"),
        fact("csm.goal.changed", NOW, **goal),
        fact("csm.touchpoint.occurred", NOW, touchpoint="kickoff", direct=True),
    ]:
        fold(MODEL, state, each)
    [found] = evaluate(MODEL, state, NOW, Cause())
    assert found.assessment.score is not None
    assert found.assessment.score > 50
    entered: dict[str, float] = {}
    while found.due is not None and found.due < NOW + 28 * DAY:
        [found] = evaluate(MODEL, state, found.due, Cause("timer"))
        entered |= {each.threshold: (found.at - NOW) / DAY for each in found.crossings}
    assert entered["onboarding_stalled"] == pytest.approx(7, abs=1e-4)
    assert entered["goals_at_risk"] == pytest.approx(28 * (1 - 0.6 / 0.8), abs=1e-4)
    assert entered["out_of_touch"] == pytest.approx(21, abs=1e-4)
    assert entered["at_risk"] < 10
    assert "no_outcome" in found.assessment.caps


@pytest.mark.parametrize(
    ("attributes", "days"),
    [({}, 180), ({"segment": "enterprise"}, 90), ({"stage": "onboarding"}, 90)],
    ids=NAMES,
)
def test_large_and_new_customers_are_reviewed_every_quarter(attributes: dict[str, Any], days: int) -> None:
    state = AccountState("acme")
    fold(MODEL, state, fact("csm.account.changed", NOW, **attributes))
    fold(MODEL, state, fact("csm.touchpoint.occurred", NOW, touchpoint="QBR"))
    [found] = evaluate(MODEL, state, NOW, Cause())
    entered: dict[str, float] = {}
    while found.due is not None:
        [found] = evaluate(MODEL, state, found.due, Cause("timer"))
        entered |= {each.threshold: (found.at - NOW) / DAY for each in found.crossings}
    assert entered == {"review_due": pytest.approx(days, abs=1e-4)}


def as_fact(told: DemoFact) -> Fact:
    data = msgspec.json.decode(msgspec.json.encode(told.data))
    return Fact(
        f"{told.account} {told.type} {told.name}", told.type, told.account, told.time.timestamp(), data, False
    )


def story(start: datetime) -> list[tuple[float, str, str, str]]:
    """The crossings of the score in the demo's minute: seconds, account, threshold, direction."""
    states = {each.id: AccountState(each.id) for each in CAST}
    dues: dict[str, float | None] = {}
    told: list[tuple[float, str, str, str]] = []

    def look(account: str, at_s: float, cause: Cause) -> None:
        found = evaluate(MODEL, states[account], start.timestamp() + at_s, cause)[-1]
        dues[account] = None if found.due is None else found.due - start.timestamp()
        told.extend((at_s, account, each.threshold, each.direction) for each in found.crossings)

    for each in CAST:
        for known in history(each, start):
            fold(MODEL, states[each.id], as_fact(known))
        states[each.id].backfill_begun = states[each.id].backfill_ended = True
        look(each.id, 0, Cause())
    for scene in [*scenes(start), None]:
        until = 60.0 if scene is None else scene.at_s
        for account, due in list(dues.items()):
            while due is not None and due <= until:
                look(account, due, Cause("timer"))
                due = dues[account]
        for each_fact in scene.facts if scene else ():
            fold(MODEL, states[each_fact.account], as_fact(each_fact))
        for account in sorted({each_fact.account for each_fact in scene.facts} if scene else ()):
            look(account, until, Cause())
    return [each for each in told if each[2] in ("at_risk", "critical")]


@pytest.mark.parametrize("day", range(7))
def test_the_demo_declines_and_recovers_as_it_says(day: int) -> None:
    start = datetime(2026, 3, 2 + day, 3 * day, 17, tzinfo=UTC) + timedelta(seconds=day)
    (
        *before,
        (silent_at, silent, *crossing),
    ) = [each for each in story(start) if each[0] <= 41]
    assert before == [
        (10, "bluepeak-analytics", "at_risk", "entered"),
        (14, "orchard-health", "at_risk", "left"),
        (24, "cinder-foods", "at_risk", "entered"),
        (30, "cinder-foods", "critical", "entered"),
        (36, "lumen-studio", "at_risk", "left"),
    ]
    assert (silent, *crossing) == ("fable-freight", "at_risk", "entered")
    assert 40 <= silent_at <= 41
