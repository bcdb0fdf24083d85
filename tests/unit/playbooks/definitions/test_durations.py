"""Durations as people write them."""

from datetime import timedelta

import pytest

from playbooks.domain.durations import duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("10s", timedelta(seconds=10)),
        ("30m", timedelta(minutes=30)),
        ("4h", timedelta(hours=4)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(days=7)),
        ("99999w", timedelta(weeks=99999)),
    ],
)
def test_a_number_and_a_unit(text: str, length: timedelta) -> None:
    assert duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "2", "d", "0d", "-1d", "2 d", "2D", "1.5h", "two days", "100000d", "٢d", "2d\n", "2d4h"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration: .* as in 30m, 4h or 2d"):
        duration(text)
