"""Rate limits: what a bucket lets through over any stretch of time, and a bucket for each key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csm_common.errors import RateLimitedError
from csm_common.web.auth import Principal
from ingest.application.limiter import Limiter
from ingest.domain.limits import Bucket

RATES = st.floats(0.5, 10_000)
ASKED = st.lists(st.tuples(st.floats(0, 10), st.integers(1, 500)), max_size=40)


@given(RATES, ASKED)
def test_over_any_time_no_more_is_let_through_than_flows_in(
    rate: float, asked: list[tuple[float, int]]
) -> None:
    bucket = Bucket(rate, size=2 * rate, level=2 * rate, at=0.0)
    now, let_through, largest = 0.0, 0, 0
    for pause, amount in asked:
        now += pause
        if bucket.take(amount, now) == 0:
            let_through, largest = let_through + amount, max(largest, amount)

        assert let_through <= (2 * rate + now * rate + largest) * (1 + 1e-9)
        assert bucket.level <= bucket.size


@given(RATES, ASKED)
def test_who_comes_again_when_told_is_let_through(rate: float, asked: list[tuple[float, int]]) -> None:
    bucket = Bucket(rate, size=2 * rate, level=2 * rate, at=0.0)
    now = 0.0
    for pause, amount in asked:
        now += pause
        wait = bucket.take(amount, now)
        if wait:
            now += wait * (1 + 1e-9)
            assert bucket.take(amount, now) == 0


@given(RATES, st.integers(1, 100_000))
def test_a_large_amount_is_owed(rate: float, amount: int) -> None:
    bucket = Bucket(rate, size=2 * rate, level=2 * rate, at=0.0)

    assert bucket.take(amount, 0.0) == 0
    assert bucket.level == 2 * rate - amount


class Stopwatch:
    """A clock in seconds that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def principal(key_id: str, events_per_s: int | None = None) -> Principal:
    """The owner of a key."""
    return Principal(key_id=key_id, scopes=frozenset(), source=key_id, events_per_s=events_per_s)


def refused(limiter: Limiter, who: Principal, events: int = 1) -> float:
    """After how many seconds to come again, 0 where nothing was refused."""
    try:
        limiter.take(who, events)
    except RateLimitedError as error:
        return error.retry_after or 0.0
    return 0.0


def test_every_key_has_a_limit_of_its_own() -> None:
    limiter = Limiter(10, monotonic=Stopwatch())
    limiter.take(principal("a"), 100)

    assert refused(limiter, principal("a")) == pytest.approx(8.1)
    assert refused(limiter, principal("b")) == 0
    assert refused(limiter, principal("a", events_per_s=1_000)) == 0


def test_two_seconds_worth_may_come_at_once() -> None:
    clock = Stopwatch()
    limiter = Limiter(10, monotonic=clock)

    assert [bool(refused(limiter, principal("a"))) for _ in range(21)] == [False] * 20 + [True]
    clock.now += 0.1
    assert refused(limiter, principal("a")) == 0


def test_a_refusal_says_the_limit_and_when_to_come_again() -> None:
    limiter = Limiter(10, monotonic=Stopwatch())
    limiter.take(principal("a"), 50)

    with pytest.raises(
        RateLimitedError, match=r"10 events a second\. Send the same again after 3 s"
    ) as caught:
        limiter.take(principal("a"), 1)

    assert caught.value.retry_after == pytest.approx(3.1)


def test_keys_beyond_number_are_not_all_remembered() -> None:
    limiter = Limiter(1, monotonic=Stopwatch())
    for number in range(10_001):
        limiter.take(principal(f"k{number}"), 100)

    assert refused(limiter, principal("k1")) > 0
    assert refused(limiter, principal("k0")) == 0
