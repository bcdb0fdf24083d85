"""What an explanation says of a measure, a threshold and the future, on one small card."""

from datetime import UTC, datetime

import pytest
from tests.unit.health_score.domain.examples import DAY, NOW, account, card, fact, look_at, measure, model_of

from health_score.application.health_report import health_report
from health_score.domain.account import AccountState
from health_score.domain.curve import Curve
from health_score.domain.explaining import explain
from health_score.domain.explanation import Explanation, Segment, Turn
from health_score.domain.fact import Fact
from health_score.domain.scorecard import Dimension, Knockout, Threshold
from health_score.domain.signals import Latest, Ratio, Recency, Selector, Trend
from health_score.domain.silences import NOTHING_SILENT

SILENCE = Recency(Selector(("used",)))
NPS = Latest(Selector(("answered",), value="score"), expires_days=180.0)
FALLING = Curve(((0.0, 100.0), (7.0, 65.0), (14.0, 25.0), (30.0, 0.0)))
CARD = card(
    Dimension("use", 3.0, (measure("silence", SILENCE, curve=FALLING),)),
    Dimension("say", 1.0, (measure("nps", NPS, curve=Curve(((0.0, 0.0), (10.0, 100.0)))),)),
    thresholds=[Threshold("quiet", "measure:silence", 10.0, 5.0, "above", dwell_s=3 * DAY)],
    knockouts=[Knockout("lost", "measure:silence", 20.0, "above", "critical", "nobody is there")],
)
MODEL = model_of(CARD)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def explained(*facts: Fact, now: float = NOW, silences: dict[str, float] | None = None) -> Explanation:
    state = account(MODEL, facts)
    look_at(MODEL, state, now)
    return explain(CARD, state, now, silences or {})


def test_a_value_between_two_knots_names_them_and_the_events_behind_it() -> None:
    old, new = fact("used", NOW - 20 * DAY, id="e1"), fact("used", NOW - 12 * DAY, id="e2")
    silence = explained(old, new).measures[0]
    assert (silence.kind, silence.title, silence.value) == ("recency", "Silence", 12.0)
    assert silence.segment == Segment((7.0, 65.0), (14.0, 25.0))
    assert silence.points == pytest.approx(65 - 5 * 40 / 7, abs=1e-6)
    assert [each.id for each in silence.events] == ["e2", "e1"]
    assert silence.age_days == 12.0


def test_the_weight_of_what_is_missing_is_told_to_be_spread() -> None:
    silence, nps = explained(fact("used")).measures
    assert (silence.full_share, silence.share, silence.earned) == (0.75, 1.0, 100.0)
    assert (nps.state, nps.full_share, nps.share, nps.points) == ("missing", 0.25, None, None)


def test_an_answer_tells_until_when_it_is_believed_and_since_when_it_is_not() -> None:
    told = NOW - 170 * DAY
    fresh = explained(fact("answered", told, score=9)).measures[1]
    assert (fresh.state, fresh.expires_at) == ("fresh", at(told + 180 * DAY))
    expired = explained(fact("answered", told, score=9), now=NOW + 20 * DAY).measures[1]
    assert (expired.state, expired.since, expired.value) == ("expired", at(told + 180 * DAY), None)
    assert [each.type for each in expired.events] == ["answered"]


def test_a_measure_of_a_source_silent_for_the_fleet_is_frozen_since_then() -> None:
    found = explained(fact("used", NOW - 9 * DAY), silences={"used": NOW - 5 * DAY}).measures[0]
    assert (found.state, found.since, found.value) == ("frozen", at(NOW - 5 * DAY), 4.0)


def test_a_trend_without_a_habit_yet_is_maturing() -> None:
    trend = card(Dimension("use", 1.0, (measure("habit", Trend(Selector(("used",)))),)))
    state = account(model_of(trend), [fact("used", NOW - DAY)])
    found = explain(trend, state, NOW, {}).measures[0]
    assert (found.state, found.since) == ("maturing", at(NOW + 27 * DAY))


def test_a_ratio_tells_the_events_of_both_its_signals() -> None:
    seats, used = Latest(Selector(("bought",), value="seats")), Latest(Selector(("used",), value="users"))
    ratio = card(Dimension("use", 1.0, (measure("seats", Ratio(used, seats)),)))
    facts = [fact("bought", NOW - 9 * DAY, seats=10), fact("used", NOW - DAY, users=5)]
    found = explain(ratio, account(model_of(ratio), facts), NOW, {}).measures[0]
    assert (found.value, found.kind, found.age_days) == (0.5, "ratio", 1.0)
    assert [each.type for each in found.events] == ["used", "bought"]


def test_a_knockout_in_force_tells_what_it_costs() -> None:
    found = explained(fact("used", NOW - 22 * DAY), fact("answered", score=10))
    [lost] = found.knockouts
    assert (lost.in_force, lost.value, lost.highest) == (True, 22.0, 24.99)
    assert lost.cost == pytest.approx((found.computed or 0) - 24.99, abs=1e-6)
    assert (found.score, found.capped, found.band) == (24.99, 24.99, "critical")


def test_an_override_tells_who_why_and_until_when() -> None:
    said = fact("csm.override.set", score=80, reason="we met", by="kim", until="2026-03-09T09:00:00Z")
    found = explained(fact("used", NOW - 12 * DAY), said)
    assert found.override is not None
    assert (found.override.reason, found.override.by, found.override.score) == ("we met", "kim", 80.0)
    assert found.override.until == at(NOW + 7 * DAY)
    assert (found.score, found.band, found.overridden) == (80.0, "healthy", True)
    assert found.computed == pytest.approx(36.428571, abs=1e-6)


def test_a_threshold_is_outside_then_dwelling_then_inside_and_tells_the_distance() -> None:
    state = account(MODEL, [fact("used", NOW - 8 * DAY)])
    stood = []
    for day in (0, 4, 8):
        look_at(MODEL, state, NOW + day * DAY)
        [quiet] = explain(CARD, state, NOW + day * DAY, {}).thresholds
        stood.append((quiet.stands, quiet.level, quiet.distance, quiet.since))
    assert stood == [
        ("outside", 10.0, 2.0, None),
        ("dwelling", 10.0, 2.0, at(NOW + 4 * DAY)),
        ("inside", 5.0, 11.0, at(NOW + 8 * DAY)),
    ]


def foreseen(state: AccountState, now: float) -> tuple[datetime | None, tuple[Turn, ...]]:
    found = explain(CARD, state, now, {}).foreseen
    return (None, ()) if found is None else (found.at, found.turns)


def test_the_future_is_told_change_by_change() -> None:
    state = account(MODEL, [fact("used", NOW)])
    now, seen = NOW, []
    while True:
        look_at(MODEL, state, now)
        instant, turns = foreseen(state, now)
        if instant is None:
            break
        now = instant.timestamp()
        seen += [
            (round((now - NOW) / DAY, 1), each.kind, each.name, each.before, each.after) for each in turns
        ]
    assert seen == [
        (5.0, "band", "", "healthy", "neutral"),
        (9.6, "band", "", "neutral", "at_risk"),
        (10.0, "threshold", "quiet", "outside", "dwelling"),
        (13.0, "threshold", "quiet", "dwelling", "inside"),
        (14.0, "band", "", "at_risk", "critical"),
        (20.0, "knockout", "lost", "not in force", "in force"),
    ]


def test_an_answer_that_expires_and_an_override_that_ends_are_foretold() -> None:
    said = fact("csm.override.set", band="healthy", reason="we met", until="2026-03-09T09:00:00Z")
    state = account(MODEL, [fact("answered", NOW - 100 * DAY, score=5), said])
    look_at(MODEL, state)
    instant, turns = foreseen(state, NOW)
    assert instant == at(NOW + 7 * DAY)
    assert turns == (Turn("band", "", "healthy", "neutral"), Turn("override", "", "in force", "ended"))
    look_at(MODEL, state, NOW + 7 * DAY)
    instant, turns = foreseen(state, NOW + 7 * DAY)
    assert instant == at(NOW + 80 * DAY)
    assert turns == (Turn("band", "", "neutral", "unknown"), Turn("measure", "nps", "known", "unknown"))


def test_health_tells_the_change_that_is_foreseen_not_the_look_that_comes_before_it() -> None:
    state = account(MODEL, [fact("answered", NOW - 100 * DAY, score=5)])
    looked = look_at(MODEL, state, rest_s=DAY)
    instant, turns = foreseen(state, NOW)
    assert turns
    assert looked.due == NOW + DAY
    assert health_report(CARD, state, at(NOW), NOTHING_SILENT).next_change_at == instant == at(NOW + 80 * DAY)


def test_an_import_that_goes_on_is_told_to_end_by_itself() -> None:
    state = account(MODEL, [fact("used", NOW - 12 * DAY, backfill=True)])
    look_at(MODEL, state)
    found = explain(CARD, state, NOW, {})
    assert found.backfilling
    assert found.foreseen is not None
    assert found.foreseen.at == at(NOW + 900)
    assert [each.kind for each in found.foreseen.turns] == ["backfill"]


def test_the_measure_that_helps_most_is_named_with_the_value_for_the_next_band() -> None:
    found = explained(fact("used", NOW - 12 * DAY), fact("answered", score=0))
    assert found.helps_most is not None
    helps = found.helps_most
    assert (helps.measure, helps.best_at, helps.next_band) == ("silence", 0.0, "neutral")
    assert found.computed == pytest.approx(0.75 * 36.428571, abs=1e-5)
    assert helps.next_band_at == pytest.approx(7.0 - (50 / 0.75 - 65) / 5, abs=1e-6)
    assert found.measures[1].next_band_at == pytest.approx((50 - (found.computed or 0)) / 25 * 10, abs=1e-5)


def test_an_account_that_nothing_is_known_of_is_explained_by_that() -> None:
    found = explain(CARD, AccountState("acme"), NOW, {})
    assert (found.score, found.computed, found.coverage, found.helps_most) == (None, None, 0.0, None)
    assert {each.state for each in found.measures} == {"missing"}
