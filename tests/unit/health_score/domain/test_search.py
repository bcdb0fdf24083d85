"""The first second outside a corridor, and how few looks it takes to find it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import DAY, NOW, fact, folded, thorough

from health_score.domain.courses import Course, Mover, Point, WeighedCourse
from health_score.domain.curve import Curve
from health_score.domain.fact import Fact
from health_score.domain.forms import Fade, Form, Still, quotient
from health_score.domain.search import first_exit
from health_score.domain.signals import (
    ActiveUsers,
    AnySignal,
    Attainment,
    Count,
    Latest,
    Recency,
    Selector,
    Trend,
    Until,
)

YEAR = 365 * 86_400
START = int(NOW)


@dataclass
class Counted:
    """A course that remembers where it was looked at."""

    course: Course
    looks: list[int] = field(default_factory=list)

    def point(self, at: int) -> Point:
        self.looks.append(at)
        return self.course.point(at)

    def bounds(self, left: Point, right: Point) -> tuple[float, float]:
        return self.course.bounds(left, right)

    def close_bounds(self, left: Point, right: Point) -> tuple[float, float]:
        return self.course.close_bounds(left, right)


def mover(
    signal: AnySignal, facts: list[Fact], knots: tuple[tuple[float, float], ...], share: float = 0.5
) -> Mover:
    return Mover(signal.form(folded(signal, facts)), Curve(knots), share)


def silence(days: float, share: float = 0.5) -> Mover:
    """Points fall from 100 to 0 within so many days."""
    return mover(Recency(Selector(("visit",))), [fact("visit", NOW)], ((0, 100), (days, 0)), share)


def errors(half_life: float, share: float = 0.5) -> Mover:
    """Points rise from 0 towards 100 as ten errors fade."""
    return mover(
        Count(Selector(("error",)), half_life), [fact("error", NOW)] * 10, ((0, 100), (10, 0)), share
    )


def renewal(days: float, share: float = 0.5) -> Mover:
    """Points rise from 0 to 100 within so many days."""
    told = fact("account", NOW, date="2027-03-02T09:00:00")
    days_left = 365.0
    return mover(
        Until(Selector(("account",), value="date")), [told], ((days_left - days, 100), (days_left, 0)), share
    )


def search(course: Course, low: float, high: float) -> tuple[int, int]:
    """The exit within a year, and the number of looks."""
    counted = Counted(course)
    found = first_exit(counted, (low, high), START + 1, START + YEAR)
    return found, len(counted.looks)


def test_a_falling_score_is_caught_to_the_second_in_few_looks() -> None:
    found, looks = search(WeighedCourse((50.0,), (silence(20),)), 75.0, 101.0)
    assert found == START + 10 * 86_400 + 1
    assert looks < 20


def test_a_course_that_stays_is_seen_to_stay_at_both_ends() -> None:
    assert search(WeighedCourse((50.0,), (silence(20),)), 50.0, 101.0) == (START + YEAR, 2)


def test_a_course_that_is_outside_already_leaves_at_once() -> None:
    assert search(WeighedCourse((0.0,), (silence(20),)), 60.0, 101.0) == (START + 1, 1)


def test_nothing_is_looked_at_where_there_is_no_time_left() -> None:
    counted = Counted(WeighedCourse((), (silence(20),)))
    assert first_exit(counted, (0.0, 1.0), START + 5, START + 5) == START + 5
    assert counted.looks == []


@pytest.mark.parametrize("margin", [1e-5, 1e-3, 1e-1, 1.0])
def test_a_score_that_only_nearly_leaves_takes_few_looks(margin: float) -> None:
    course = WeighedCourse((), (silence(90), errors(30)))
    lowest = min(course.point(START + hour * 3600).number for hour in range(365 * 24))
    highest = max(course.point(START + hour * 3600).number for hour in range(365 * 24))
    found, looks = search(course, lowest - margin, highest + margin)
    assert found == START + YEAR
    assert looks < 100


def test_measures_that_cancel_out_exactly_at_a_level_take_few_looks() -> None:
    found, looks = search(WeighedCourse((), (silence(300), renewal(300))), 50.0, 75.0)
    assert found == START + YEAR
    assert looks < 100


@thorough
@given(
    st.floats(0, 50),
    st.lists(
        st.tuples(st.sampled_from([silence, errors, renewal]), st.integers(1, 20), st.floats(0.05, 0.5)),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 100),
    st.integers(1, 60),
)
def test_it_is_the_first_exit_of_all(
    still: float, movers: list[tuple[Callable[[float, float], Mover], int, float]], low: int, width: int
) -> None:
    course = WeighedCourse((still,), tuple(build(length / 2000, share) for build, length, share in movers))
    beyond = START + 600
    outside = (at for at in range(START + 1, beyond) if not low <= course.point(at).number < low + width)
    assert first_exit(course, (low, low + width), START + 1, beyond) == next(outside, beyond)


@pytest.mark.parametrize("least", [0.0, 5e-324, 1e-300])
def test_a_count_strays_no_further_than_it_moves_even_on_its_way_to_nothing(least: float) -> None:
    assert Fade(5.0, NOW, 14 * DAY).bend(5.0, least) == 5.0


A, B = Selector(("a",)), Selector(("a",), value="number")
FORMS: list[Callable[[list[Fact]], Form | None]] = [
    *(
        lambda facts, signal=signal: signal.form(folded(signal, facts))
        for signal in (
            Count(A, 14),
            Count(A, 0.1),
            Recency(A),
            Until(Selector(("a",), value="date")),
            Trend(B),
            Trend(B, fast_days=0.5, slow_days=30, mature_days=1),
            ActiveUsers(A, 30, item="item", exact_up_to=16),
            Attainment(A, item="item"),
            Attainment(A, item="item", unconfirmed=0.0),
        )
    ),
    lambda facts: quotient(_form(Count(A, 14), facts), Still(-3.0)),
    lambda facts: quotient(_form(Recency(A), facts), _form(Latest(B), facts)),
    lambda facts: quotient(_form(Count(A, 14), facts), _form(Count(A, 40), facts)),
    lambda facts: quotient(_form(Count(A, 40), facts), _form(Count(A, 14), facts)),
    lambda facts: quotient(_form(Count(A, 40), facts), _form(ActiveUsers(A, 40, item="item"), facts)),
]


def _form(signal: AnySignal, facts: list[Fact]) -> Form:
    found: Form = signal.form(folded(signal, facts))
    return found


news: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "date": st.just("2026-06-01"),
        "number": st.integers(1, 9),
        "item": st.sampled_from("abcdefgh"),
        "target": st.just(10),
        "current": st.integers(0, 12),
        "due": st.sampled_from([None, "2026-02-20", "2026-03-20", "2026-08-01"]),
    }
)
told = st.lists(st.tuples(st.floats(0, 50), news), min_size=1, max_size=4).map(
    lambda found: [fact("a", NOW - age * DAY, **data) for age, data in found]
)


@thorough
@given(
    st.sampled_from(range(len(FORMS))),
    told,
    st.floats(0, 200),
    st.floats(0, 200),
    st.lists(st.floats(0, 1), min_size=2, max_size=6).map(sorted),
)
def test_every_form_is_monotone_and_strays_no_further_from_a_straight_line_than_it_says(
    which: int, facts: list[Fact], wait: float, span: float, shares: list[float]
) -> None:
    form = FORMS[which](facts)
    assert form is not None
    start, end = NOW + wait * DAY, NOW + (wait + span) * DAY
    one, other = form.value(start), form.value(end)
    slack = 1e-9 * (1 + abs(one) + abs(other))
    before = one
    for share in shares:
        here = form.value(start + (end - start) * share)
        assert abs(here - (one + (other - one) * share)) <= form.bend(one, other) + slack
        assert (here - before) * (other - one) >= -slack
        before = here
    assert form.moves or one == other
