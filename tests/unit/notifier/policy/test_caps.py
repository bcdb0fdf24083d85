"""Caps hold in every window of their length, and keep nothing back that had room."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START

from notifier.domain.caps import Cap, Reserved, in_words, length

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Message:
    """What counts of a message."""

    at: datetime
    priority: int = 0


caps = st.builds(
    Cap,
    st.just("person"),
    st.integers(1, 4),
    st.sampled_from((6 * HOUR, DAY, 7 * DAY)),
    st.one_of(st.none(), st.builds(Reserved, st.sampled_from((10, 100)), st.integers(1, 2))),
).filter(lambda cap: cap.reserved is None or cap.reserved.slots <= cap.limit)
requests = st.lists(
    st.tuples(st.integers(0, 10 * 24), st.sampled_from((-5, 0, 10, 50, 100, 1000))), max_size=40
)


@given(caps, requests)
def test_no_window_holds_more_than_its_limit_and_its_slots_are_for_the_urgent(
    cap: Cap, asked: list[tuple[int, int]]
) -> None:
    sent: list[Message] = []
    for hours, priority in sorted(asked):
        now = START + hours * HOUR
        if cap.room_at(sent, priority, now) == now:
            sent.append(Message(now, priority))
    for each in sent:
        window = [other for other in sent if each.at <= other.at < each.at + cap.within]
        assert len(window) <= cap.limit
        if cap.reserved is not None:
            ordinary = [other for other in window if other.priority < cap.reserved.priority]
            assert len(ordinary) <= cap.limit - cap.reserved.slots


@given(caps, requests, st.sampled_from((0, 10, 100)))
def test_room_is_told_to_the_instant(cap: Cap, asked: list[tuple[int, int]], priority: int) -> None:
    now = START + 5 * DAY
    sent = [Message(START + hours * HOUR / 2, urgent) for hours, urgent in asked]
    room = cap.room_at(sent, priority, now)
    if room is None:
        assert cap.open_to(priority) == 0
        return
    assert _fits(cap, sent, priority, room)
    if room > now:
        assert not _fits(cap, sent, priority, now)
        assert not _fits(cap, sent, priority, room - timedelta(microseconds=1))


def _fits(cap: Cap, sent: list[Message], priority: int, at: datetime) -> bool:
    """Whether one more would break no rule, by counting alone."""
    counted = [each for each in sent if at - cap.within < each.at]
    if len(counted) >= cap.limit:
        return False
    if cap.reserved is None or priority >= cap.reserved.priority:
        return True
    ordinary = sum(each.priority < cap.reserved.priority for each in counted)
    return ordinary < cap.limit - cap.reserved.slots


@pytest.mark.parametrize(
    ("span", "short", "long"),
    [
        (DAY, "1d", "1 day"),
        (7 * DAY, "7d", "7 days"),
        (36 * HOUR, "36h", "36 hours"),
        (timedelta(seconds=90), "90s", "90 seconds"),
    ],
)
def test_lengths_are_told_in_their_greatest_unit(span: timedelta, short: str, long: str) -> None:
    assert (length(span), in_words(span)) == (short, long)
