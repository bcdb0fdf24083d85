"""What may become of a task, whoever does what in whichever order."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START
from tests.unit.playbooks.contracts.rows import DAY, HOUR, a_task

from csm_common.errors import ConflictError
from playbooks.application.actor import Actor
from playbooks.application.model import Task
from playbooks.application.task_changes import Change, assign, cancel, claim, complete, reopen, snooze

ANA, BEN, CRM = Actor("console", "ana"), Actor("console", "ben"), Actor("crm")
TO_DO = ("open", "snoozed")


@dataclass(frozen=True)
class Deed:
    """What somebody does."""

    name: str
    by: Actor
    do: Callable[[Task, datetime], Change | None]

    def __repr__(self) -> str:
        return f"{self.by}: {self.name}"


def deeds_of(by: Actor) -> list[Deed]:
    return [
        Deed("claim", by, lambda task, now: claim(task, by, now)),
        Deed("assign to ana", by, lambda task, now: assign(task, "ana", now)),
        Deed("assign to cem", by, lambda task, now: assign(task, "cem", now)),
        Deed("snooze until", by, lambda task, now: snooze(task, START + DAY, None, by, now)),
        Deed("snooze for a score", by, lambda task, now: snooze(task, None, 30.0, by, now)),
        Deed("complete", by, lambda task, now: complete(task, "reached", by, now)),
        Deed("complete otherwise", by, lambda task, now: complete(task, "no answer", by, now)),
        Deed("cancel", by, lambda task, now: cancel(task, "a mistake", by, now)),
        Deed("reopen", by, reopen),
    ]


DEEDS = [deed for by in (ANA, BEN, CRM) for deed in deeds_of(by)]


def check(task: Task) -> None:
    """What holds of every task."""
    asleep = task.snoozed_until is not None or task.snoozed_score is not None
    assert asleep == (task.status == "snoozed")
    assert (task.done_at is not None) == (task.done_by is not None) == (task.status not in TO_DO)
    assert (task.outcome is not None) == (task.status == "done")


@given(st.lists(st.sampled_from(DEEDS), max_size=12))
def test_whatever_people_do_a_task_makes_sense_and_what_is_repeated_does_nothing(deeds: list[Deed]) -> None:
    task, now = a_task(owner=None), START
    for deed in deeds:
        now += timedelta(minutes=1)
        try:
            change = deed.do(task, now)
        except ConflictError:
            assert task.status not in TO_DO or task.claimed_by not in (None, deed.by.name)
            continue
        if change is None:
            continue
        assert (change.before, change.after.updated_at) == (task, now)
        assert change.after.account_id == task.account_id
        task = change.after
        check(task)
        assert deed.do(task, now + HOUR) is None


@given(st.lists(st.sampled_from(DEEDS), max_size=12))
def test_what_is_done_or_cancelled_changes_by_reopening_alone(deeds: list[Deed]) -> None:
    task = a_task()
    for deed in deeds:
        try:
            change = deed.do(task, START)
        except ConflictError:
            continue
        if change is not None and task.status not in TO_DO:
            assert deed.name == "reopen"
        task = change.after if change is not None else task


def test_who_claims_a_task_owns_it_but_a_key_owns_nothing() -> None:
    by_ana, by_key = claim(a_task(), ANA, START), claim(a_task(), CRM, START)
    assert by_ana is not None
    assert (by_ana.after.owner, by_ana.after.claimed_by) == ("ana", "ana")
    assert by_key is not None
    assert (by_key.after.owner, by_key.after.claimed_by) == ("maria", "key:crm")


def test_who_claims_what_they_have_put_aside_takes_it_up_again() -> None:
    back = claim(a_task(status="snoozed", snoozed_score=30.0, claimed_by="ana"), ANA, START)
    assert back is not None
    assert (back.after.status, back.after.snoozed_score) == ("open", None)


def test_a_key_that_names_nobody_speaks_for_whoever_has_claimed_it_but_cannot_claim_it() -> None:
    claimed = a_task(claimed_by="ana", owner="ana")
    done = complete(claimed, "reached", CRM, START)
    assert done is not None
    assert (done.after.done_by, done.after.owner) == ("key:crm", "ana")
    with pytest.raises(ConflictError, match="ana has claimed task task-1"):
        claim(claimed, CRM, START)


def test_a_snoozed_task_that_comes_back_is_still_in_the_same_hands() -> None:
    asleep = a_task(status="snoozed", snoozed_score=30.0, claimed_by="ana")
    back = reopen(asleep, START)
    assert back is not None
    assert back.after == replace(asleep, status="open", snoozed_score=None, updated_at=START)


@pytest.mark.parametrize(
    ("until", "score", "told"),
    [
        (START, None, "until 2026-03-02T09:00:00Z"),
        (None, 30.5, "until the score is at 30.5 or below"),
        (START, 30.0, "until 2026-03-02T09:00:00Z, or until the score is at 30 or below"),
    ],
    ids=["time", "score", "both"],
)
def test_the_history_tells_until_when_a_task_is_put_aside(
    until: datetime | None, score: float | None, told: str
) -> None:
    change = snooze(a_task(), until, score, ANA, START)
    assert change is not None
    assert change.told == told
