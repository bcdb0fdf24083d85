"""What an explanation says: a sentence a measure by the kind of its signal, the sum, and what holds, comes and helps."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from tests.unit.health_score.domain.examples import DAY, NOW, account, fact, look_at, thorough
from tests.unit.health_score.explaining.test_explaining import CARD, MODEL
from tests.unit.health_score.explaining.test_pencil import explanations

from health_score.application.explaining_ports import Change, Since
from health_score.application.words import spoken, told
from health_score.application.words_measures import measure_sentence
from health_score.application.words_numbers import day, figure, listed, percent, signed
from health_score.application.words_since import since_sentences
from health_score.domain.comparison import Moved
from health_score.domain.explaining import explain
from health_score.domain.explanation import Explanation, MeasureExplanation, Segment
from health_score.domain.fact import Fact

THEN = datetime(2026, 3, 2, 9, tzinfo=UTC)
MEASURE = MeasureExplanation(
    name="uses",
    title="Uses",
    unit="uses",
    kind="sum",
    weight=1.0,
    value=20.0,
    curve=((5.0, 40.0), (35.0, 100.0)),
    segment=Segment((5.0, 40.0), (35.0, 100.0)),
    points=70.0,
    full_share=0.2,
    share=0.3,
    earned=21.0,
    missed=9.0,
    state="fresh",
    since=None,
    expires_at=None,
    age_days=1.0,
    events=(),
    next_band_at=None,
)
BRINGS = " (between 5 → 40 points and 35 → 100 points): 70 of 100 points, which brings 21 of at most 30 points of the score."


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1234.5, "1,234.5"),
        (12.0, "12"),
        (-0.0, "0"),
        (100.0, "100"),
        (1 / 3, "0.333"),
        (0.00001234, "1.23e-05"),
        (-2.5, "-2.5"),
    ],
)
def test_numbers_are_told_as_people_read_them(number: float, words: str) -> None:
    assert figure(number) == words


def test_shares_losses_times_and_lists_too() -> None:
    assert (percent(0.375), signed(2.5), signed(-2.5)) == ("37.5 %", "+2.5", "−2.5")
    assert day(THEN) == "2 March 2026, 09:00 UTC"
    assert (listed([]), listed(["a"]), listed(["a", "b", "c"])) == ("", "a", "a, b and c")


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("sum", 20.0, "20 uses lately"),
        ("count", 20.0, "20 uses lately"),
        ("mean", 4.25, "4.25 uses on average"),
        ("trend", 0.5, "0.5 times the usual"),
        ("active_users", 12.3, "about 12.3 uses lately"),
        ("recency", 12.0, "the last was 12 days ago"),
        ("recency", 1.0, "the last was 1 day ago"),
        ("recency", 0.0000049, "the last was just now"),
        ("latest", 8.0, "last told as 8 uses"),
        ("open", 2.0, "2 uses open"),
        ("open", 0.0, "nothing open"),
        ("until", 45.0, "45 days to go"),
        ("until", -3.0, "3 days past"),
        ("attainment", 0.625, "62.5 % of the plan reached"),
        ("ratio", 0.8, "0.8 uses"),
    ],
)
def test_each_kind_of_signal_has_words_of_its_own(kind: str, value: float, words: str) -> None:
    assert measure_sentence(replace(MEASURE, kind=kind, value=value)) == f"Uses: {words}{BRINGS}"


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        (Segment(None, (5.0, 40.0)), "up to 5: 40 points"),
        (Segment((35.0, 100.0), None), "from 35 on: 100 points"),
    ],
)
def test_beyond_the_ends_of_a_curve_the_last_knot_is_named(segment: Segment, words: str) -> None:
    assert f"({words})" in measure_sentence(replace(MEASURE, segment=segment))


def test_what_is_unknown_tells_why_and_where_its_weight_went() -> None:
    unknown = replace(MEASURE, value=None, points=None, share=None, earned=None, missed=None, state="missing")
    spread = ", so its 20 % of the score is spread over what is known."
    assert measure_sentence(unknown) == f"Uses: nothing is known{spread}"
    expired = replace(unknown, state="expired", since=THEN)
    assert measure_sentence(expired) == f"Uses: what was known expired on 2 March 2026, 09:00 UTC{spread}"
    maturing = replace(unknown, state="maturing", since=THEN)
    assert "too little to go by before 2 March 2026" in measure_sentence(maturing)
    assert measure_sentence(replace(unknown, full_share=0.0)) == "Uses: nothing is known."


def test_what_stands_still_or_is_only_watched_says_so() -> None:
    frozen = replace(MEASURE, state="frozen", since=THEN)
    assert "its source is silent for the whole fleet since 2 March 2026" in measure_sentence(frozen)
    watched = replace(MEASURE, points=None, share=None, earned=None)
    assert measure_sentence(watched) == "Uses: 20 uses lately; it is only watched and brings no points."


def explained(*facts: Fact, now: float = NOW) -> Explanation:
    state = account(MODEL, facts)
    look_at(MODEL, state, now)
    return spoken(explain(CARD, state, now, {}))


def test_the_whole_is_told_in_paragraphs() -> None:
    assert told(explained(fact("used", NOW - 12 * DAY), fact("answered", NOW - 9 * DAY, score=9))) == [
        "acme stands at 49.82 of 100, at_risk (25 to under 50), by the scorecard sample, version 1,"
        " on 2 March 2026, 09:00 UTC.",
        "Use brings 27.321 of at most 75 points. Silence: the last was 12 days ago (between 7 → 65 points and 14 → 25 points):"
        " 36.429 of 100 points, which brings 27.321 of at most 75 points of the score.",
        "Say brings 22.5 of at most 25 points. Nps: last told as 9 (between 0 → 0 points and 10 → 100 points):"
        " 90 of 100 points, which brings 22.5 of at most 25 points of the score.",
        "The sum: 27.321 + 22.5 = 49.821.",
        "Coverage: 75 % + 25 % = 100 % of all weight is known.",
        "quiet is entered on 5 March 2026, 09:00 UTC if nothing changes before.",
        "If nothing arrives, the next change comes on 5 March 2026, 09:00 UTC, at a score of 40.08:"
        " threshold quiet from dwelling to inside.",
        "Silence would help most: at 0 it would add 47.679 points. Neutral is reached at 11.958.",
    ]


def test_what_holds_a_score_is_told() -> None:
    held = " ".join(told(explained(fact("used", NOW - 22 * DAY), fact("answered", score=10))))
    assert (
        "The knock-out lost (nobody is there) is in force, since measure:silence at 22 is above 20: at most critical"
        in held
    )
    assert "quiet holds since" not in held
    said = fact("csm.override.set", score=80, reason="we met", by="kim", until="2026-03-09T09:00:00Z")
    overridden = " ".join(told(explained(fact("used", NOW - 12 * DAY), said)))
    assert (
        'kim says a score of 80 until 9 March 2026, 09:00 UTC, which counts instead: "we met".' in overridden
    )
    assert "is reached at 11.958" not in overridden
    assert "once the override has ended" in overridden


def test_a_word_of_a_time_gone_by_is_told_without_what_is_not_known_of_it_any_more() -> None:
    then = replace(explained(fact("used", NOW)), overridden=True, override=None)
    assert "A person's word counted instead of the sum." in told(then)


def test_an_account_without_data_is_told_in_a_sentence() -> None:
    [verdict, *_] = told(explained())
    assert verdict.startswith("acme has no score")


@thorough
@given(explanations())
def test_whatever_the_account_the_printed_sum_gives_the_printed_score(found: Explanation) -> None:
    sums = [each for each in told(spoken(found)) if each.startswith("The sum: ")]
    if found.computed is None:
        assert not sums
        return
    parts, total = sums[0].removeprefix("The sum: ").removesuffix(".").split(" = ")
    assert sum(float(each) for each in parts.split(" + ")) == pytest.approx(found.computed, abs=0.01)
    assert float(total) == pytest.approx(found.computed, abs=0.001)


BEFORE = Change(
    account_id="acme",
    revision=1,
    known_at=THEN,
    event_at=THEN,
    cause="facts",
    fact_ids=[],
    scorecard="sample",
    version=1,
    score_before=None,
    score=60.0,
    computed=60.0,
    band_before=None,
    band="neutral",
    coverage=1.0,
)
MOVED = Moved(
    name="silence",
    value_before=1.0,
    value_after=12.0,
    points_before=95.0,
    points_after=36.0,
    part_before=None,
    part_after=27.0,
    moved=-10.179,
)
SINCE = Since(
    asked=THEN,
    before=BEFORE,
    first_known_at=None,
    score_moved=-10.0,
    same_card=True,
    by_cause={"timer": -12.0, "facts": 2.0},
    measures=(MOVED,) * 6,
    model_changes=[],
)


def test_what_changed_is_told_by_measure_and_by_cause() -> None:
    now = explained(fact("used", NOW - 12 * DAY), fact("answered", NOW - 9 * DAY, score=9))
    [first, second] = since_sentences(now, SINCE)
    assert first.startswith(
        "Since 2 March 2026, 09:00 UTC (60, neutral) the score has moved by −10.179 points."
    )
    assert "Silence −10.179 (none → 27)" in first
    assert first.endswith("and 1 more that moved less.")
    assert second == "By cause: time alone −12 and what was heard +2."


def test_another_model_and_a_time_before_anything_was_known_are_told() -> None:
    now = explained(fact("used", NOW - 12 * DAY))
    other = replace(
        SINCE, same_card=False, by_cause={}, measures=(), before=replace(BEFORE, version=2, score=None)
    )
    [whole, model] = since_sentences(now, other)
    assert whole == "On 2 March 2026, 09:00 UTC it had no score."
    assert model.startswith("Another model judges now: sample 2 did then, sample 1 does now")
    assert since_sentences(now, replace(SINCE, before=None, first_known_at=THEN)) == [
        "Nothing was known of acme on 2 March 2026, 09:00 UTC; that began on 2 March 2026, 09:00 UTC."
    ]
    same = replace(SINCE, measures=(), by_cause={}, before=replace(BEFORE, score=now.score))
    assert since_sentences(now, same)[0].endswith("the score has not moved.")
