"""Endpoints have so much room, and rest while they are out of order."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START

from notifier.application.lanes import Lanes
from notifier.application.ports import Manners
from notifier.domain.breakers import WELL, BreakerRules
from notifier.domain.delivery import Answer

RULES = BreakerRules(failures=3, rest=timedelta(seconds=10), longest=timedelta(minutes=1))
TWO = Manners(at_once=2)
EIGHT = Manners(at_once=8)
WELL_SAID = Answer("accepted", "ok", 200)
BROKEN = Answer("deferred", "500", 500, fault=True)
PATIENCE = Answer("deferred", "429", 429, retry_after=timedelta(seconds=30))
GREYLISTED = Answer("deferred", "451 try again", 451)


def after_faults(count: int) -> tuple[Lanes, datetime]:
    lanes = Lanes(RULES)
    for _ in range(count):
        assert lanes.enter("a", TWO)
        lanes.leave("a", BROKEN, START)
    return lanes, START


def test_an_endpoint_has_so_many_places_and_no_other_has_fewer_for_it() -> None:
    lanes = Lanes(RULES)
    assert [lanes.enter("a", TWO) for _ in range(3)] == [True, True, False]
    assert set(lanes.full) == {"a"}
    assert lanes.enter("b", TWO)
    assert not lanes.opened()
    lanes.leave("b", WELL_SAID, START)
    assert not lanes.opened()
    lanes.leave("a", WELL_SAID, START)
    assert set(lanes.full) == set()
    assert [lanes.opened(), lanes.opened()] == [True, False]
    assert lanes.enter("a", TWO)


def test_faults_in_a_row_send_it_to_rest_longer_each_time_up_to_a_bound() -> None:
    lanes, now = after_faults(2)
    assert lanes.rests_until("a", now) is None
    rests = []
    for _ in range(5):
        assert lanes.enter("a", TWO)
        lanes.leave("a", BROKEN, now)
        until = lanes.rests_until("a", now)
        assert until is not None
        rests.append((until - now).total_seconds())
        now = until
        assert lanes.rests_until("a", now) is None
    assert rests == [10, 20, 40, 60, 60]


def test_after_its_rest_one_message_finds_out() -> None:
    lanes, now = after_faults(3)
    now += timedelta(seconds=10)
    assert [lanes.enter("a", TWO), lanes.enter("a", TWO)] == [True, False]
    lanes.leave("a", WELL_SAID, now)
    assert [lanes.enter("a", TWO), lanes.enter("a", TWO)] == [True, True]


def test_an_endpoint_on_trial_that_has_some_in_hand_is_full_until_they_have_left() -> None:
    lanes = Lanes(RULES)
    for _ in range(2):
        lanes.enter("a", EIGHT)
    for _ in range(3):
        lanes.enter("a", EIGHT)
        lanes.leave("a", BROKEN, START)
    assert lanes.room("a", EIGHT) == 0
    lanes.crowd("a")
    assert set(lanes.full) == {"a"}
    for _ in range(2):
        lanes.leave("a", None, START)
    assert (set(lanes.full), lanes.room("a", EIGHT)) == (set(), 1)


def test_an_endpoint_with_nobody_inside_is_never_full() -> None:
    lanes = Lanes(RULES)
    lanes.crowd("a")
    assert set(lanes.full) == set()


def test_a_message_that_is_refused_or_put_off_is_no_fault_of_the_endpoint() -> None:
    lanes, _ = after_faults(2)
    for answer in (GREYLISTED, BROKEN, BROKEN):
        lanes.enter("a", TWO)
        lanes.leave("a", answer, START)
    assert lanes.rests_until("a", START) is None


def test_who_asks_for_a_pause_has_it() -> None:
    lanes = Lanes(RULES)
    lanes.enter("a", TWO)
    lanes.leave("a", PATIENCE, START)
    assert lanes.rests_until("a", START) == START + timedelta(seconds=30)
    assert [lanes.enter("a", TWO), lanes.enter("a", TWO)] == [True, True]


def test_an_attempt_without_an_answer_teaches_nothing() -> None:
    lanes, now = after_faults(2)
    lanes.enter("a", TWO)
    lanes.leave("a", None, now)
    lanes.enter("a", TWO)
    lanes.leave("a", BROKEN, now)
    assert lanes.rests_until("a", now) is not None


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=80))
def test_places_are_never_exceeded_nor_lost(moves: list[tuple[str, bool]]) -> None:
    lanes, inside = Lanes(RULES), {"a": 0, "b": 0}
    for endpoint, enters in moves:
        assert lanes.room(endpoint, EIGHT) == 8 - inside[endpoint]
        if enters:
            assert lanes.enter(endpoint, EIGHT) == (inside[endpoint] < 8)
            inside[endpoint] = min(inside[endpoint] + 1, 8)
        elif inside[endpoint]:
            lanes.leave(endpoint, WELL_SAID, START)
            inside[endpoint] -= 1
        full = set(lanes.full)
        assert {each for each in inside if inside[each] == 8} <= full
        assert not {each for each in inside if inside[each] <= 4} & full


def test_a_well_endpoint_has_no_history() -> None:
    assert WELL.resting(START) is None
    assert not WELL.on_trial


def test_all_that_rest_are_told_until_their_rest_is_over() -> None:
    lanes, now = after_faults(RULES.failures)
    assert lanes.enter("b", TWO)
    lanes.leave("b", PATIENCE, now)
    assert set(lanes.resting(now)) == {"a", "b"}
    assert set(lanes.resting(now + RULES.rest)) == {"b"}
    assert set(lanes.resting(now + timedelta(seconds=30))) == set()
