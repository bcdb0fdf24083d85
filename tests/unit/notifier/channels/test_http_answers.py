"""What a status means for a message."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START

from notifier.adapters.http_answers import by_status

OUTCOMES = {
    "accepted": [200, 201, 202, 204, 299],
    "deferred": [408, 425, 429, 500, 501, 502, 503, 504, 599],
    "refused": [101, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 422],
}


@pytest.mark.parametrize(
    ("outcome", "status"), [(key, each) for key, all_ in OUTCOMES.items() for each in all_]
)
def test_the_status_alone_tells(outcome: str, status: int) -> None:
    answer = by_status("a.example", status, {}, START)
    assert (answer.outcome, answer.code) == (outcome, status)
    assert answer.fault == (status >= 500)
    assert answer.gone == (status == 410)
    assert answer.detail.startswith(f"a.example answered {status}")


def test_a_redirect_says_what_to_do() -> None:
    assert (
        "redirects are not followed"
        in by_status("a.example", 302, {"location": "http://10.0.0.1"}, START).detail
    )


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize(
    ("told", "pause"),
    [
        ("120", timedelta(minutes=2)),
        (" 7 ", timedelta(seconds=7)),
        ("0", timedelta(0)),
        (format_datetime(START + timedelta(minutes=5), usegmt=True), timedelta(minutes=5)),
        (format_datetime(START - timedelta(minutes=5), usegmt=True), timedelta(minutes=-5)),
        ("9" * 400, timedelta(days=365)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ],
    ids=range(10),
)
def test_a_pause_is_asked_for_in_seconds_or_by_date(status: int, told: str, pause: timedelta | None) -> None:
    assert by_status("a.example", status, {"retry-after": told}, START).retry_after == pause


def test_without_the_header_and_with_other_statuses_there_is_no_pause() -> None:
    assert by_status("a.example", 429, {}, START).retry_after is None
    assert by_status("a.example", 500, {"retry-after": "5"}, START).retry_after is None


@given(st.text(), st.integers(min_value=100, max_value=999))
def test_no_header_breaks_the_reading(told: str, status: int) -> None:
    assert by_status("a.example", status, {"retry-after": told}, START).code == status
