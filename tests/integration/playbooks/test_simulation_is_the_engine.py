"""A simulation tells what the engine does: the same scenarios over PostgreSQL and in memory come to the same, word by word."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from tests.integration.playbooks.conftest import Adapters
from tests.support.clock import START
from tests.unit.playbooks.simulation.texts import EVERY_KIND

from csm_common.database.outbox import Message
from playbooks.adapters.definitions import parse_definition, playbook_of
from playbooks.adapters.memory.sandbox import MemorySandbox, RecordingEndpoints
from playbooks.adapters.postgres.approvals import APPROVAL_COLUMNS, approval_of
from playbooks.adapters.postgres.tasks import TASK_COLUMNS, task_of
from playbooks.application.model import Approval, Playbook, Task
from playbooks.application.ports import Store
from playbooks.application.simulation import PretendedClock, Sandbox, Simulator
from playbooks.application.simulation_account import State, unknown_account
from playbooks.application.simulation_people import Done, People, Reply
from playbooks.application.simulation_walk import Cross, Scenario, Turn, walk
from playbooks.testing_setting import Setting

DEFINITION = parse_definition(EVERY_KIND, "every_kind.yaml")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOLD = {"owner": "maria", "renewal_date": "2026-04-20", "timezone": "America/New_York"}


class Encoded:
    """A port with the bytes of what is written: simulations leave them out, and PostgreSQL keeps nothing else."""

    def __init__(self, port: object, writes: str, told: str) -> None:
        self._port = port
        self._writes = writes
        self._told = told

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return partial(self._write, found) if name == self._writes else found

    async def _write(self, write: Any, received: Sequence[Any], *others: Any) -> Any:
        data = [msgspec.json.encode(getattr(each, self._told)) for each in received]
        filled = [replace(each, data=encoded) for each, encoded in zip(received, data, strict=True)]
        return await write(filled, *others)


class PostgresSandbox:
    """Implements simulation.Sandbox on PostgreSQL: after each transaction it looks at what people and the relay would see."""

    def __init__(self, adapters: Adapters) -> None:
        self.transactions = self
        self.reads = adapters.reads
        self._adapters = adapters
        self._messages: list[Message] = []
        self._approvals: list[Approval] = []
        self._tasks: list[Task] = []

    def install(self, playbook: Playbook, *, active: bool) -> None:
        """It was shipped before."""

    def take_messages(self) -> Sequence[Message]:
        taken, self._messages = self._messages, []
        return taken

    def tasks(self) -> Sequence[Task]:
        return self._tasks

    def pending(self) -> tuple[Sequence[Approval], Sequence[Task]]:
        open_approvals = [each for each in self._approvals if each.status == "pending"]
        return open_approvals, [each for each in self._tasks if each.status in ("open", "snoozed")]

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Store]:
        async with self._adapters.transactions.begin() as store:
            vars(store)["crossings"] = Encoded(store.crossings, "remember", "crossing")
            vars(store)["accounts"] = Encoded(store.accounts, "save", "snapshot")
            yield store
        async with self._adapters.engine.begin() as tx:
            rows = await tx.execute(text("DELETE FROM outbox RETURNING id, topic, key, value"))
            self._messages += [Message(row.topic, row.key, row.value) for row in sorted(rows)]
            approvals = await tx.execute(text(f"SELECT {APPROVAL_COLUMNS} FROM approvals ORDER BY asked_at"))
            self._approvals = [approval_of(row) for row in approvals]
            tasks = await tx.execute(text(f"SELECT {TASK_COLUMNS} FROM tasks ORDER BY created_at"))
            self._tasks = [task_of(row) for row in tasks]


def turn(after: timedelta, state: State | None = None, cross: Cross | None = None) -> Turn:
    return Turn(at=START + after, state=state, cross=cross)


SCENARIOS: dict[str, tuple[People, dict[str, int], list[Turn], dict[str, Any]]] = {
    "nobody reacts": (People(), {}, [], TOLD),
    "the task is done": (People(outcomes={"work": Done(outcome="reached", after=5 * HOUR)}), {}, [], TOLD),
    "nobody is there, and trying again is declined": (
        People(
            replies={"ask": Reply(said="rejected", after=HOUR, comment="no budget")},
            outcomes={"work": Done(outcome="nobody there")},
        ),
        {},
        [],
        TOLD,
    ),
    "the question expires": (People(outcomes={"work": Done(outcome="nobody there")}), {}, [], TOLD),
    "the endpoint is down for good": (
        People(outcomes={"work": Done(outcome="reached")}),
        {"crm": 503},
        [],
        TOLD,
    ),
    "nothing is known of the account": (People(), {}, [], {}),
    "a sales step is held back and then let go": (
        People(outcomes={"work": Done(outcome="reached")}),
        {},
        [
            turn(DAY, State(thresholds=["at_risk", "escalated"])),
            turn(30 * DAY, State(thresholds=["at_risk"])),
        ],
        TOLD,
    ),
    "it becomes critical": (
        People(),
        {},
        [turn(4 * DAY, cross=Cross(threshold="critical", direction="entered"))],
        TOLD,
    ),
    "it churns in a wait": (People(), {}, [turn(DAY, State(attributes={"stage": "churned"}))], TOLD),
    "it crosses again while it is at it": (
        People(),
        {},
        [turn(DAY, cross=Cross(threshold="at_risk", direction="entered"))],
        TOLD,
    ),
}


async def played(sandbox: Sandbox, case: str, calls: RecordingEndpoints) -> Any:
    people, _, turns, attributes = SCENARIOS[case]
    simulator = Simulator(
        sandbox=sandbox,
        rules=Setting().rules(),
        clock=PretendedClock(START),
        endpoints=calls,
        people=People(replies=people.replies, outcomes=people.outcomes),
    )
    scenario = Scenario(
        snapshot=replace(unknown_account("acme", START), score=40.0, attributes=attributes),
        cross=Cross(threshold="at_risk", direction="entered"),
        at=START,
        until=START + 90 * DAY,
        turns=turns,
    )
    return msgspec.to_builtins(await walk(simulator, playbook_of(1, DEFINITION), scenario))


@pytest.mark.parametrize("case", SCENARIOS)
async def test_both_stores_come_to_the_same(adapters: Adapters, case: str) -> None:
    async with adapters.transactions.begin() as store:
        await store.playbooks.ship([DEFINITION], START)
    answers = SCENARIOS[case][1]
    on_postgres = await played(PostgresSandbox(adapters), case, RecordingEndpoints(answers))
    in_memory = await played(MemorySandbox(), case, RecordingEndpoints(answers))
    assert in_memory == on_postgres
    assert in_memory["runs"], "the scenario plays nothing"
