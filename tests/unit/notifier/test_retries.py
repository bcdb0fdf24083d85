"""The retry schedule."""

from datetime import timedelta

import pytest

from notifier.domain.retries import RetrySchedule


def test_a_line_is_read_as_an_operator_means_it() -> None:
    assert RetrySchedule.parse("5s, 30s,2m , 1h, 2 d").pauses == (
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(hours=1),
        timedelta(days=2),
    )
    assert RetrySchedule.parse("").attempts == 1


@pytest.mark.parametrize("line", ["5", "5s; 30s", "soon", "-5s", "1.5h", "5s 30s"])
def test_a_line_that_means_nothing_is_refused_with_an_example(line: str) -> None:
    with pytest.raises(ValueError, match="as in: 5s, 30s, 2m, 1h"):
        RetrySchedule.parse(line)


def test_pauses_grow_with_the_attempts_and_end() -> None:
    schedule = RetrySchedule.parse("5s, 1m")
    assert schedule.attempts == 3
    assert schedule.pause_after(1, 0.0) == timedelta(seconds=5)
    assert schedule.pause_after(2, 0.0) == timedelta(minutes=1)
    assert schedule.pause_after(3, 0.0) is None
    assert schedule.pause_after(4, 0.0) is None


def test_chance_makes_a_pause_longer_by_up_to_a_fifth() -> None:
    schedule = RetrySchedule.parse("10s")
    assert schedule.pause_after(1, 0.5) == timedelta(seconds=11)
    assert schedule.pause_after(1, 1.0) == timedelta(seconds=12)
