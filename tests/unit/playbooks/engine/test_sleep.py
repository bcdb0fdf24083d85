"""Which runs look again soon instead of sleeping through news."""

from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import a_run

from playbooks.application.handlers.sleep import LATER, SOON, light_sleep
from playbooks.application.model import Unsettled
from playbooks.domain.interpreter import Decision
from playbooks.domain.run import Run

DAY = timedelta(days=1)
WAITING = a_run(awaits="condition", wake_at=START + 14 * DAY, due_at=START + 14 * DAY)
OLD = a_run(awaits="hold", due_at=START + DAY, started_at=START - DAY)
CHANGING = Unsettled(changing=frozenset({"acme"}))
UNKNOWN = Unsettled(unknown=frozenset({"acme"}))


@pytest.mark.parametrize(
    ("run", "unsettled", "after"),
    [
        (WAITING, CHANGING, SOON),
        (OLD, CHANGING, SOON),
        (WAITING, UNKNOWN, SOON),
        (OLD, UNKNOWN, LATER),
        (WAITING, Unsettled(changing=frozenset({"beta"})), 14 * DAY),
        (a_run(awaits="condition", due_at=START + timedelta(seconds=1)), CHANGING, timedelta(seconds=1)),
        (a_run(awaits="time", due_at=START + DAY), CHANGING, DAY),
        (a_run(awaits="condition"), CHANGING, timedelta()),
    ],
    ids=[
        "news is being written",
        "news for one that is held back",
        "a new account",
        "an account that is gone",
        "news of another",
        "its time comes before",
        "a plain wait",
        "it is due",
    ],
)
def test_a_run_sleeps_no_longer_than_it_may(run: Run, unsettled: Unsettled, after: timedelta) -> None:
    assert light_sleep(Decision(run=run), unsettled, START).run.due_at == START + after


def test_a_run_that_has_ended_stays_so() -> None:
    ended = Decision(run=a_run(status="completed", due_at=None, step=None))
    assert light_sleep(ended, CHANGING, START) == ended
