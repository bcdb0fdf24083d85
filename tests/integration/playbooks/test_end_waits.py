"""Plain waits ended by the thousand in one statement: each as the interpreter would have it, and no other run is touched."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.integration.playbooks.conftest import Adapters
from tests.support.clock import START
from tests.unit.playbooks.builders import NOTIFY, WAIT, a_crossing, a_definition, a_run, received

from playbooks.application.handlers.steps import Rules, advance_due
from playbooks.application.model import Switch
from playbooks.domain.calendar import Calendar
from playbooks.domain.definition import Definition, ExitWhen, Late
from playbooks.domain.interpreter import advance
from playbooks.domain.program import lay_out, plain_waits
from playbooks.domain.run import Run, StepResult

PLAYBOOK = a_definition(steps=(NOTIFY, WAIT, replace(NOTIFY, name="again")))
PROGRAM = lay_out(PLAYBOOK)
NOW = START + timedelta(days=2)


def waiting(number: int, **members: object) -> Run:
    """A run whose wait is over now, after an attempt that failed."""
    run = a_run(
        f"run-{number}",
        account_id=f"account-{number}",
        crossing_id=f"c-{number}",
        step="wait",
        position=1,
        awaits="time",
        wake_at=NOW,
        due_at=NOW,
        failures=1,
        error="away",
    )
    return replace(run, **members)  # type: ignore[arg-type]


async def begin(adapters: Adapters, runs: Sequence[Run], *definitions: Definition) -> None:
    async with adapters.transactions.begin() as store:
        await store.playbooks.ship(definitions or [PLAYBOOK], START)
        await store.playbooks.active()
        crossings = [received(run.crossing_id, a_crossing(run.account_id)) for run in runs]
        await store.crossings.remember(crossings, START)
        await store.runs.add(runs)


async def end(adapters: Adapters, limit: int = 9) -> int:
    async with adapters.transactions.begin() as store:
        waits = [
            wait for each in store.playbooks.at_hand() for wait in plain_waits(each.program, each.version)
        ]
        return len(await store.runs.end_waits(waits, NOW, limit))


async def found(adapters: Adapters, runs: Sequence[Run]) -> list[Run]:
    async with adapters.transactions.begin() as store:
        return await store.runs.lock_active([run.account_id for run in runs])


async def results(adapters: Adapters, runs: Sequence[Run]) -> list[StepResult]:
    async with adapters.transactions.begin() as store:
        told = await store.runs.results([run.id for run in runs])
    return [result for each in runs for result in told.get(each.id, {}).values()]


async def test_they_end_as_the_interpreter_has_it(adapters: Adapters) -> None:
    runs = [waiting(number) for number in range(5)]
    await begin(adapters, runs)
    assert await end(adapters) == 5
    made = [advance(PROGRAM, run, None, Calendar(), NOW) for run in runs]
    assert await found(adapters, runs) == [each.run for each in made]
    assert await results(adapters, runs) == [each.result for each in made]


async def test_no_more_end_than_are_asked_for_the_longest_due_first(adapters: Adapters) -> None:
    runs = [waiting(n, wake_at=NOW - timedelta(hours=n), due_at=NOW - timedelta(hours=n)) for n in range(5)]
    await begin(adapters, runs)
    assert await end(adapters, limit=2) == 2
    assert {run.id for run in await found(adapters, runs) if run.step == "again"} == {"run-4", "run-3"}


@pytest.mark.parametrize(
    "run",
    [
        waiting(1, wake_at=NOW + timedelta(hours=1)),
        waiting(1, due_at=NOW + timedelta(hours=1)),
        waiting(1, awaits="condition"),
        waiting(1, step="tell", awaits=None, wake_at=None),
    ],
    ids=["awake later", "looked at later", "a condition", "no wait"],
)
async def test_what_is_not_the_end_of_a_plain_wait_is_left_alone(adapters: Adapters, run: Run) -> None:
    await begin(adapters, [run])
    assert await end(adapters) == 0
    assert await found(adapters, [run]) == [run]


async def test_nothing_of_a_paused_playbook_and_no_suspect_is_touched(adapters: Adapters) -> None:
    paused = a_definition("paused", steps=(NOTIFY, WAIT, replace(NOTIFY, name="again")))
    runs = [waiting(1), waiting(2, playbook="paused", purpose="paused")]
    await begin(adapters, runs, PLAYBOOK, paused)
    async with adapters.transactions.begin() as store:
        await store.hands.suspect([["run-1"]])
        await store.switches.throw(
            Switch(name="paused", state="paused", reason="enough", actor="key:ops", at=NOW)
        )
    assert await end(adapters) == 0


@pytest.mark.parametrize(
    "definition",
    [
        replace(PLAYBOOK, exit_when=ExitWhen(condition="score == null")),
        replace(PLAYBOOK, late=Late(after="1d", then="exit")),
        replace(PLAYBOOK, steps=(NOTIFY, WAIT)),
    ],
    ids=["an exit asks", "late runs exit", "the last step"],
)
def test_a_wait_at_whose_end_something_is_decided_is_not_plain(definition: Definition) -> None:
    assert list(plain_waits(lay_out(definition), 1)) == []


async def test_a_crowd_of_waits_ends_before_the_steps_behind_them(adapters: Adapters) -> None:
    runs = [waiting(number) for number in range(7)]
    await begin(adapters, runs)
    rounds = [await advance_due(adapters.transactions, NOW, Rules(), worker="w", limit=3) for _ in range(4)]
    assert [(len(each.waits), len(each.runs)) for each in rounds] == [(7, 0), (0, 3), (0, 3), (0, 1)]
    assert await found(adapters, runs) == []
