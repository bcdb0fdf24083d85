"""The course of a score as bars."""

from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.trend import MOST_BARS, TALLEST, bars, sparkline


def points(*scores: float) -> list[dict[str, float]]:
    return [{"score": each} for each in scores]


def test_one_point_is_no_trend() -> None:
    assert bars([]) == bars(points(50)) == []
    assert sparkline([]) == ""


def test_blocks_go_from_nought_to_a_hundred() -> None:
    assert sparkline(points(0, 12.5, 50, 100, 140, -3)) == "▁▂▅██▁"


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=200), st.integers(0, 40))
def test_bars_are_few_bounded_and_keep_both_ends(scores: list[float], most: int) -> None:
    drawn = bars(points(*scores), most)
    assert 2 <= len(drawn) <= max(2, min(most, len(scores)))
    assert all(0 < each.height <= TALLEST and 0 <= each.score <= 100 for each in drawn)
    assert [each.now for each in drawn] == [False] * (len(drawn) - 1) + [True]
    assert (drawn[0].score, drawn[-1].score) == tuple(
        min(max(each, 0), 100) for each in (scores[0], scores[-1])
    )
    assert len(bars(points(*scores))) <= MOST_BARS
