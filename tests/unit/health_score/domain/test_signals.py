"""Each signal by example, with numbers a person can recompute."""

from typing import Any

import pytest
from tests.unit.health_score.domain.examples import DAY, NOW, fact, folded, number_of

from health_score.domain.signals import (
    AnyReader,
    Count,
    Latest,
    Mean,
    Open,
    Ratio,
    Recency,
    Selector,
    Sum,
    Trend,
    Until,
)
from health_score.domain.signals.until import moment

USED, ASKED, CHANGED = "csm.usage.recorded", "csm.survey.answered", "csm.account.changed"

Told = tuple[str, float, dict[str, Any]]
"""A fact's type, its age in days, and its data."""


def value(signal: AnyReader, *facts: Told, days: float = 0) -> float | None:
    """The signal's value `days` after now."""
    told = [fact(type_, NOW - age * DAY, **data) for type_, age, data in facts]
    return number_of(signal, told, NOW + days * DAY)


def test_a_count_halves_with_each_half_life() -> None:
    uses: list[Told] = [(USED, 0, {}), (USED, 14, {}), (USED, 28, {})]
    assert value(Count(Selector((USED,)), 14), *uses) == pytest.approx(1.75)
    assert value(Count(Selector((USED,)), 14), *uses, days=14) == pytest.approx(0.875)


def test_a_steady_rate_counts_as_rate_times_half_life_over_ln_2() -> None:
    hourly: list[Told] = [(USED, hour / 24, {}) for hour in range(24 * 365)]
    assert value(Count(Selector((USED,)), 14), *hourly) == pytest.approx(24 * 14 / 0.693147, rel=2e-3)


def test_a_sum_adds_a_field_and_takes_the_default_where_it_is_absent() -> None:
    signal = Sum(Selector((USED,), value="quantity", default=1.0), 14)
    assert value(
        signal, (USED, 0, {"quantity": 5}), (USED, 14, {}), (USED, 0, {"quantity": "many"})
    ) == pytest.approx(5.5)


def test_a_total_of_long_ago_is_nothing_but_still_known() -> None:
    assert value(Count(Selector((USED,)), 0.001), (USED, 0, {}), days=4000) == 0.0


def test_a_wrong_clock_cannot_overflow_a_total() -> None:
    assert value(Count(Selector((USED,)), 0.001), (USED, -40_000, {})) == pytest.approx(2.0**64, rel=1.0)


def test_a_mean_weighs_recent_answers_more_and_time_alone_does_not_move_it() -> None:
    signal = Mean(Selector((ASKED,), value="score"), 60)
    answers: list[Told] = [(ASKED, 0, {"score": 5}), (ASKED, 60, {"score": 2})]
    assert value(signal, *answers) == pytest.approx((5 + 1) / 1.5)
    assert value(signal, *answers, days=90) == pytest.approx((5 + 1) / 1.5)


def test_a_mean_is_unknown_once_its_answers_have_faded() -> None:
    signal = Mean(Selector((ASKED,), value="score"), 60, min_weight=0.125)
    assert value(signal, (ASKED, 0, {"score": 5}), days=179.9) == 5.0
    assert value(signal, (ASKED, 0, {"score": 5}), days=180.1) is None


def test_recency_counts_days_since_the_latest_match() -> None:
    assert value(Recency(Selector((USED,))), (USED, 3, {}), (USED, 9, {})) == 3.0
    assert (
        value(
            Recency(Selector((USED,), where={"feature": ("export",)})),
            (USED, 3, {}),
            (USED, 9, {"feature": "export"}),
        )
        == 9
    )
    assert value(Recency(Selector((USED,))), (USED, -1, {})) == 0.0
    assert value(Recency(Selector((USED,)))) is None


def test_the_latest_value_is_believed_until_it_expires() -> None:
    signal = Latest(Selector((ASKED,), value="score"), 180)
    answers: list[Told] = [(ASKED, 10, {"score": 9}), (ASKED, 40, {"score": 2}), (ASKED, 5, {"score": "n/a"})]
    assert value(signal, *answers) == 9.0
    assert value(signal, *answers, days=169.9) == 9.0
    assert value(signal, *answers, days=170) is None
    assert value(Latest(Selector((ASKED,), value="score")), *answers, days=9999) == 9.0


def test_of_two_values_at_the_same_time_the_greater_event_id_tells() -> None:
    signal = Latest(Selector((ASKED,), value="score"))
    both = [fact(ASKED, NOW, id="b", score=2), fact(ASKED, NOW, id="a", score=9)]
    assert folded(signal, both).number == folded(signal, both[::-1]).number == 2.0


def test_days_until_a_date_of_the_account_or_of_its_own_attributes() -> None:
    signal = Until(Selector((CHANGED,), value="renewal_date"))
    assert value(signal, (CHANGED, 9, {"renewal_date": "2026-03-12"}), (CHANGED, 5, {"plan": "pro"})) == 9.625
    assert value(signal, (CHANGED, 9, {"renewal_date": "2026-03-12"}), days=10) == -0.375
    own = Until(Selector((CHANGED,), value="go_live", where={"plan": ("pro",)}))
    assert value(own, (CHANGED, 9, {"plan": "pro", "attributes": {"go_live": "2026-03-02T21:00:00Z"}})) == 0.5
    assert (
        value(own, (CHANGED, 9, {"plan": "free", "attributes": {"go_live": "2026-03-02T21:00:00Z"}})) is None
    )


TINY = [1e-310, 5e-324, -1e-310]


@pytest.mark.parametrize("tiny", TINY)
def test_what_is_too_small_to_divide_by_is_nothing(tiny: float) -> None:
    used, paid = Sum(Selector((USED,), value="quantity"), 14), Latest(Selector((ASKED,), value="score"))
    told: list[Told] = [(USED, 0, {"quantity": 1e15}), (ASKED, 0, {"score": tiny})]
    assert value(Ratio(used, paid), *told) is None
    assert value(Ratio(used, Sum(Selector((ASKED,), value="score"), 14)), *told) is None
    assert value(Trend(Selector((ASKED,), value="score"), mature_days=1), (ASKED, 9, {"score": tiny})) is None


def test_numbers_that_cancel_out_are_nothing_in_any_order() -> None:
    per = Ratio(Count(Selector((USED,)), 14), Mean(Selector((ASKED,), value="score"), 14))
    answers: list[Told] = [
        (ASKED, 0.1, {"score": 0.1}),
        (ASKED, 0.1, {"score": 0.2}),
        (ASKED, 0.1, {"score": -0.3}),
    ]
    for turned in (answers, answers[::-1]):
        assert value(per, (USED, 0, {}), *turned) is None


def test_two_half_lives_as_good_as_equal_leave_a_ratio_that_stands_still() -> None:
    one, other = Count(Selector((USED,)), 14), Count(Selector((ASKED,)), 14.000000000000002)
    assert value(Ratio(one, other), (USED, 0, {}), (ASKED, 0, {}), days=900) == pytest.approx(1.0)


def test_a_ratio_of_what_fades_slowly_to_what_fades_a_hundred_times_as_fast() -> None:
    per = Ratio(Count(Selector((USED,)), 400), Count(Selector((ASKED,)), 1))
    assert value(per, (USED, 0, {}), (ASKED, 0, {})) == pytest.approx(1.0)
    assert value(per, (USED, 0, {}), (ASKED, 0, {}), days=2) == pytest.approx(4.0, rel=0.01)


def test_a_trend_is_1_for_a_steady_rate_from_the_first_weeks_on_and_halves_with_it() -> None:
    hourly: list[Told] = [(USED, hour / 24, {}) for hour in range(24 * 35)]
    signal = Trend(Selector((USED,)), 7, 28)
    assert value(signal, *hourly) == pytest.approx(1.0, rel=0.01)
    assert value(signal, *hourly[: 24 * 27]) is None
    slower = [each for at, each in enumerate(hourly) if each[1] > 7 or at % 2]
    assert value(signal, *slower) == pytest.approx(0.742 / 0.863, abs=0.01)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02", 86_400.0),
        ("1970-01-02T00:00:00", 86_400.0),
        ("1970-01-02T02:00:00+02:00", 86_400.0),
        ("tomorrow", None),
        ("", None),
        (17, None),
        ("0001-01-01T00:00:00+23:59", -62135596800.0),
        ("9999-12-31T23:59:59-23:59", 253402300799.0),
        ("9999-12-31T23:59:59.9999999Z", 253402300799.0),
    ],
)
def test_a_moment_is_an_iso_date_or_date_time(text: object, seconds: float | None) -> None:
    assert moment(text) == seconds


USING = Selector((USED,))
READING = Selector((USED,), value="quantity")


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: Count(USING, 0), "half_life_days must be a number of days above 0.0001"),
        (lambda: Count(USING, float("nan")), "half_life_days"),
        (lambda: Count(USING, float("inf")), "half_life_days"),
        (lambda: Count(READING, 14), "use the signal sum"),
        (lambda: Sum(USING, 14), "use the signal count"),
        (lambda: Mean(READING, 14, 0), "min_weight"),
        (lambda: Mean(USING, 14), "value must name the field that mean reads"),
        (lambda: Recency(READING), "value does not apply"),
        (lambda: Latest(USING), "value must name the field that latest reads"),
        (lambda: Latest(READING, 0), "expires_days"),
        (lambda: Until(USING), "value must name the date field"),
        (lambda: Until(Selector((USED,), value="date", default=1)), "table and default do not apply"),
        (lambda: Open(USING, "", {"status": ("open",)}), "item must name"),
        (lambda: Open(USING, "id", {}), "open_when must name"),
        (lambda: Open(USING, "id", {"status": ()}), "open_when must name"),
        (lambda: Open(READING, "id", {"status": ("open",)}), "value does not apply"),
        (
            lambda: Open(USING, "id", {"status": ("open",)}, {"priority": {"high": -1}}),
            "weights must be factors of 0 or more",
        ),
        (lambda: Open(USING, "id", {"status": ("open",)}, expires_days=-1), "expires_days"),
        (lambda: Open(USING, "id", {"status": ("open",)}, closed_days=0), "closed_days"),
        (lambda: Open(USING, "id", {"status": ("open",)}, open_days=3), "at most open_days"),
    ],
)
def test_a_definition_that_cannot_work_is_refused(build: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        build()  # type: ignore[operator]
