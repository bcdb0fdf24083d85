"""Charts hold what somebody finds who looks at the history second by second."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import thorough

from csm_common.errors import InvalidError
from health_score.application.charts import Chart, aligned, width_of
from health_score.application.explaining_ports import Mark

BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
WIDTH = timedelta(seconds=60)


def mark(second: int, score: float | None, cause: str = "facts") -> Mark:
    return Mark(BEGAN + timedelta(seconds=second), score, "band", cause, "default", 1)  # type: ignore[arg-type]


scores = st.none() | st.integers(0, 100).map(float)
marks = st.lists(st.tuples(st.integers(0, 299), scores), max_size=12).map(
    lambda found: [mark(second, score) for second, score in sorted(found, key=lambda each: each[0])]
)


@thorough
@given(scores, marks, st.integers(0, 300))
def test_each_stretch_is_what_every_second_of_it_gives(
    before: float | None, marks: list[Mark], seconds: int
) -> None:
    end = BEGAN + timedelta(seconds=seconds)
    marks = [each for each in marks if each.at < end]
    chart = Chart(BEGAN, end, WIDTH, mark(-5, before))
    for each in marks:
        chart.add(each)
    buckets = chart.finish()
    assert len(buckets) == -(-seconds // 60)
    every = [before]
    for second in range(seconds):
        came = [each.score for each in marks if each.at == BEGAN + timedelta(seconds=second)]
        every.append(came[-1] if came else every[-1])
    for number, bucket in enumerate(buckets):
        held = [each for each in every[1 + number * 60 : 61 + number * 60] if each is not None]
        assert bucket.score == every[min(seconds, number * 60 + 60)]
        assert (bucket.mean is None) == (not held)
        if held:
            assert bucket.mean == pytest.approx(sum(held) / len(held))
            assert bucket.least is not None
            assert bucket.greatest is not None
            assert bucket.least <= min(held) <= max(held) <= bucket.greatest
        assert bucket.start == BEGAN + number * WIDTH
    assert sum(each.changes for each in buckets) == len(marks)


def test_what_comes_at_the_very_end_is_in_the_chart() -> None:
    chart = Chart(BEGAN, BEGAN + WIDTH, WIDTH)
    chart.add(mark(60, 40.0, "model"))
    [nothing, last] = chart.finish()
    assert (nothing.score, nothing.mean, nothing.by_model) == (None, None, False)
    assert (last.score, last.changes, last.by_model) == (40.0, 1, True)


@pytest.mark.parametrize(
    ("resolution", "width", "start"),
    [
        ("15m", timedelta(minutes=15), datetime(2026, 3, 4, 13, 45, tzinfo=UTC)),
        ("1h", timedelta(hours=1), datetime(2026, 3, 4, 13, tzinfo=UTC)),
        ("1d", timedelta(days=1), datetime(2026, 3, 4, tzinfo=UTC)),
        ("1w", timedelta(weeks=1), datetime(2026, 3, 2, tzinfo=UTC)),
    ],
)
def test_stretches_begin_where_people_expect_them_to(
    resolution: str, width: timedelta, start: datetime
) -> None:
    assert width_of(resolution) == width
    assert aligned(datetime(2026, 3, 4, 13, 59, 1, tzinfo=UTC), width) == start


@pytest.mark.parametrize("resolution", ["", "h", "0h", "1y", "1.5h", "99999m"])
def test_what_is_no_resolution_is_refused(resolution: str) -> None:
    with pytest.raises(InvalidError, match="none of raw"):
        width_of(resolution)


def test_more_stretches_than_a_chart_can_show_are_refused() -> None:
    with pytest.raises(InvalidError, match="coarser"):
        Chart(BEGAN, BEGAN + timedelta(days=2), WIDTH)
