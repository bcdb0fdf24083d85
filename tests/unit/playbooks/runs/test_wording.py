"""Words for people."""

from datetime import UTC, datetime

import pytest

from playbooks.application.wording import closed, counted, duration_told, instant_told, listed, number_told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("30s", "30 seconds"),
        ("1m", "1 minute"),
        ("4h", "4 hours"),
        ("2d", "2 days"),
        ("1w", "1 week"),
        ("3wd", "3 working days"),
    ],
)
def test_lengths_of_time(text: str, told: str) -> None:
    assert duration_told(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Done", "Done."),
        ("Done.", "Done."),
        ("It ends: done..", "It ends: done."),
        ("Why?.", "Why?"),
        ("Go!", "Go!"),
        ("one\n  two", "one two."),
        ("", "."),
    ],
)
def test_a_sentence_has_one_line_and_one_end(text: str, told: str) -> None:
    assert closed(text) == told


def test_numbers_counts_lists_and_instants() -> None:
    assert [number_told(each) for each in (None, 57.0, 0.123456, 120000.0)] == [
        "unknown",
        "57",
        "0.1235",
        "120,000",
    ]
    assert (counted(1, "task"), counted(2, "task")) == ("1 task", "2 tasks")
    assert [listed(each) for each in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert instant_told(datetime(2026, 3, 2, 9, 5, 59, tzinfo=UTC)) == "2026-03-02 09:05 UTC"
