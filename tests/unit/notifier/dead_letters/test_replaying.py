"""Turns of replays: never faster than asked for, each message once, and no message that cannot or need not go."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START

from notifier.domain.notification import Status
from notifier.domain.replaying import Candidate, ReplayPlan, plan_replay

SECOND = timedelta(seconds=1)
RATES = st.floats(0.01, 50.0)
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        id=st.uuids().map(str),
        status=st.sampled_from(Status),
        expires_at=st.none() | st.timedeltas(-SECOND, 90 * SECOND).map(lambda after: START + after),
        erased=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda each: each.id,
)


def planned(*candidates: Candidate, **members: object) -> ReplayPlan:
    return plan_replay(candidates, START, **{"per_second": 2.0, **members})  # type: ignore[arg-type]


def dead(id: str = "n-1", **members: object) -> Candidate:
    return Candidate(id=id, **{"status": Status.FAILED, **members})  # type: ignore[arg-type]


def test_turns_follow_one_another_at_the_rate() -> None:
    turns = planned(dead("a"), dead("b"), dead("c")).turns
    assert [(each.id, each.at - START) for each in turns] == [
        ("a", timedelta()),
        ("b", SECOND / 2),
        ("c", SECOND),
    ]


def test_turns_come_after_those_that_still_wait() -> None:
    turns = planned(dead("a"), dead("b"), last=START + 10 * SECOND).turns
    assert [each.at - START for each in turns] == [10.5 * SECOND, 11 * SECOND]
    assert planned(dead(), last=START - SECOND).turns[0].at == START


@pytest.mark.parametrize("status", [Status.PENDING, Status.HELD, Status.SENDING, Status.RETRY])
def test_what_is_under_way_needs_nothing(status: Status) -> None:
    plan = planned(dead(status=status, erased=True))
    assert (plan.waiting, plan.turns, plan.refusals) == (["n-1"], [], [])


@pytest.mark.parametrize(
    "status",
    [
        Status.SENT,
        Status.EXPIRED,
        Status.CANCELLED,
        Status.SUPPRESSED,
        Status.CAPPED,
        Status.DROPPED,
        Status.FOLDED,
    ],
)
def test_what_is_no_dead_letter_is_refused(status: Status) -> None:
    [refusal] = planned(dead(status=status)).refusals
    assert (refusal.code, refusal.why) == (
        "not_dead",
        f"it is {status}: only dead letters are sent anew",
    )


def test_what_has_expired_needs_a_new_expiry() -> None:
    expired = dead(expires_at=START)
    [refusal] = planned(expired).refusals
    assert (refusal.code, refusal.why) == (
        "expired",
        "it expired on 2026-03-02 09:00 UTC; give expires_at anew",
    )
    assert planned(expired, expires_at=START + SECOND).turns


def test_what_would_expire_before_its_turn_is_refused_and_takes_no_turn() -> None:
    plan = planned(dead("a"), dead("b", expires_at=START + SECOND / 2), dead("c"))
    assert [each.id for each in plan.turns] == ["a", "c"]
    assert plan.turns[1].at == START + SECOND / 2
    assert plan.refusals[0].why.startswith("its turn would come after its expiry")


def test_what_was_erased_is_refused_whatever_expiry_it_gets() -> None:
    assert [each.code for each in planned(dead(erased=True), expires_at=START + SECOND).refusals] == [
        "erased"
    ]


@given(CANDIDATES, RATES, st.none() | st.integers(-5, 5).map(lambda after: START + after * SECOND))
def test_every_candidate_comes_out_once_and_no_window_holds_more_than_the_rate(
    candidates: list[Candidate], per_second: float, last: object
) -> None:
    plan = planned(*candidates, per_second=per_second, last=last)
    out = [*(each.id for each in plan.turns), *plan.waiting, *(each.id for each in plan.refusals)]
    assert sorted(out) == sorted(each.id for each in candidates)
    times = [each.at for each in plan.turns]
    gaps = [after - before for before, after in pairwise(times)]
    assert all(gap.total_seconds() * per_second >= 1 - 1e-9 for gap in gaps)
    known = {each.id: each for each in candidates}
    assert all(known[each.id].status.dead and not known[each.id].erased for each in plan.turns)
    assert all((known[each.id].expires_at or each.at + SECOND) > each.at >= START for each in plan.turns)
