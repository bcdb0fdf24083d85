"""`kill -9` of workers about every second, while runs with effects of all kinds go on: all finish, and no effect comes twice.

CSM_KILL_RUNS says how many runs, CSM_KILL_EVERY_S how often a worker is killed, CSM_KILL_BATCH how many runs it takes at once.
The workers are real processes on a clock that runs fast, so that leases and waits end in seconds; the endpoint is a real server.
"""

import asyncio
import logging
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import Literal

import msgspec
import pytest
from sqlalchemy import text
from tests.integration.playbooks.conftest import Adapters, adapters_on
from tests.support.fast_clock import FastClock
from tests.support.playbook_worker import SCHEMA, Orders, work
from tests.support.postgres import PostgresServer
from tests.support.waiting import eventually, let_pass
from tests.support.webhook_sink import SECRET, Sink, running_sink
from tests.unit.playbooks.builders import (
    a_crossing,
    a_definition,
    a_snapshot,
    received,
    received_snapshot,
)
from tests.unit.playbooks.engine.examples import approve, notify, split, task, wait, webhook
from tests.unit.playbooks.engine.tables import PostgresTables

from csm_common.contracts.envelope import RawEnvelope
from csm_common.contracts.topics import CUSTOMER_EVENTS, NOTIFICATION_REQUESTS
from csm_common.database.migrations import migrate
from csm_common.ids import derived_id
from playbooks.app import MIGRATIONS
from playbooks.application.handlers.accounts import keep_accounts
from playbooks.application.handlers.crossings import handle_crossings
from playbooks.application.model import Approval, Task
from playbooks.domain.run import Run, StepResult
from playbooks.domain.steps import Branch, Case, Step, WaitUntil

log = logging.getLogger(__name__)

RUNS = int(os.environ.get("CSM_KILL_RUNS", "120"))
EVERY_S = float(os.environ.get("CSM_KILL_EVERY_S", "1"))
STEP_BATCH = int(os.environ.get("CSM_KILL_BATCH", "10"))
WORKERS = 3
RATE = 15.0
"""A lease of 30 s is over in 2 s."""

STORM_S = 20 + RUNS / 20
"""So long are workers killed; what is left then is done in peace."""

WITHIN_S = 120.0 + RUNS / 10
BATCH = 500

BIG = Case(name="big", when="account_id.endsWith('0')", steps=(task("visit"), webhook("desk")))
DEFINITION = a_definition(
    steps=(
        notify("hello"),
        wait("pause", "20s"),
        webhook("crm"),
        Step(name="by_name", branch=Branch(cases=(BIG,), otherwise=(notify("letter"),))),
        Step(
            name="better",
            wait_until=WaitUntil(condition="score > 60.0", timeout="30d", otherwise=(task("rescue"),)),
        ),
        approve("ask", rejected=(notify("sorry"),), expires_in="30d"),
        split("tone", short=[notify("brief")], long=[webhook("letter_by_call"), task("note")]),
        webhook("done"),
    )
)


@dataclass(frozen=True, slots=True)
class Scene:
    """The database with its runs, the clock of all, and the endpoint."""

    adapters: Adapters
    clock: FastClock
    sink: Sink
    orders: bytes

    @property
    def tables(self) -> PostgresTables:
        """What is written."""
        return PostgresTables(self.adapters.engine)


@pytest.fixture
async def scene(postgres: PostgresServer) -> AsyncIterator[Scene]:
    clock = FastClock(time.time(), RATE)
    async with postgres.database() as database, database.engine(SCHEMA) as engine:
        await migrate(engine, schema=SCHEMA, scripts=MIGRATIONS)
        with running_sink() as sink:
            orders = Orders(database.dsn(SCHEMA), sink.url, SECRET, clock.begun_s, clock.rate, STEP_BATCH)
            yield Scene(adapters_on(engine), clock, sink, msgspec.json.encode(orders))


async def start_runs(scene: Scene) -> None:
    transactions = scene.adapters.transactions
    async with transactions.begin() as store:
        await store.playbooks.ship([DEFINITION], scene.clock.now())
    accounts = [f"account-{number}" for number in range(RUNS)]
    for first in range(0, RUNS, BATCH):
        some = accounts[first : first + BATCH]
        async with transactions.begin() as store:
            now = scene.clock.now()
            await store.accounts.save([received_snapshot(a_snapshot(each, score=20.0)) for each in some])
            crossings = [received(f"c-{each}", a_crossing(each, occurred_at=now)) for each in some]
            await handle_crossings(store, crossings, now)


# ---- those who kill, and those who live on


@contextmanager
def killed_workers(scene: Scene, seed: int = 7) -> Iterator["Workers"]:
    """Workers that are killed and started again for the length of the block, and then left to live."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.playbook_worker"])
    workers = Workers(context, scene.orders, random.Random(seed))  # noqa: S311  (a reproducible order, no secret)
    try:
        yield workers
    finally:
        workers.end()


@dataclass(frozen=True, slots=True)
class Worker:
    """A process, and the pipe on which it says that it has begun."""

    process: BaseProcess
    ready: Connection

    def kill(self) -> None:
        """No last words."""
        self.process.kill()
        self.process.join()
        self.ready.close()


class Workers:
    """So many processes at any time."""

    def __init__(self, context: ForkServerContext, orders: bytes, chance: random.Random) -> None:
        self._context = context
        self._orders = orders
        self._chance = chance
        self._running = [self._started() for _ in range(WORKERS)]
        self.kills = 0

    async def storm(self, over: asyncio.Event) -> None:
        """One that has begun to work dies every so often. On a busy machine beginning takes its time."""
        end = time.monotonic() + STORM_S
        while not over.is_set() and time.monotonic() < end:
            await let_pass(EVERY_S * self._chance.uniform(0.5, 1.5))
            working = [each for each in self._running if each.ready.poll()]
            if working:
                victim = self._running.index(self._chance.choice(working))
                self._running[victim].kill()
                self._running[victim] = self._started()
                self.kills += 1

    def end(self) -> None:
        """No process is left."""
        for each in self._running:
            each.kill()

    def _started(self) -> Worker:
        ready, tell = self._context.Pipe(duplex=False)
        process = self._context.Process(target=work, args=(self._orders, tell), daemon=True)
        process.start()
        tell.close()
        return Worker(process, ready)


async def live_on(scene: Scene, over: asyncio.Event) -> None:
    """The accounts that runs wait for get better, and people answer what they are asked: yes, and no to every fifth."""
    revision = 1
    while not over.is_set():
        revision += 1
        accounts = await some(scene, "SELECT account_id FROM runs WHERE awaits = 'condition' LIMIT 200")
        better = [received_snapshot(a_snapshot(each, revision=revision, score=80.0)) for each in accounts]
        async with scene.adapters.transactions.begin() as store:
            await keep_accounts(store, [], better, scene.clock.now())
        for asked in await some(scene, "SELECT id FROM approvals WHERE status = 'pending' LIMIT 50"):
            await answer(scene, asked)
        await let_pass(0.2)


async def some(scene: Scene, query: str) -> list[str]:
    """Ids."""
    async with scene.adapters.engine.connect() as connection:
        return list(await connection.scalars(text(query)))


async def answer(scene: Scene, approval_id: str) -> None:
    """As the desk of approvals does."""
    async with scene.adapters.transactions.begin() as store:
        asked, now = await store.approvals.find(approval_id), scene.clock.now()
        assert asked is not None
        [run] = await store.runs.lock([asked.run_id])
        if run.awaits == "approval":
            said: Literal["approved", "rejected"] = "rejected" if says_no(run) else "approved"
            done = replace(asked, status=said, answered_at=now, answered_by="person:maria")
            await store.approvals.answer(done)
            await store.runs.update([replace(run, due_at=now)])


def says_no(run: Run) -> bool:
    return run.account_id.endswith(("3", "7"))


# ---- what must have come of it


def expected_steps(run: Run, results: dict[str, StepResult]) -> list[str]:
    """In order; the split is taken as it was drawn."""
    middle = ["visit", "desk"] if run.account_id.endswith("0") else ["letter"]
    steps = ["hello", "pause", "crm", "by_name", *middle, "better", "ask"]
    if says_no(run):
        return [*steps, "sorry"]
    return [
        *steps,
        "tone",
        *(["brief"] if results["tone"].path == "short" else ["letter_by_call", "note"]),
        "done",
    ]


async def test_all_runs_finish_and_no_step_takes_effect_twice(scene: Scene) -> None:
    await start_runs(scene)
    for status in (503, 500, 429) * (RUNS // 15):
        scene.sink.answers.put(status)
    over = asyncio.Event()

    async def active() -> int:
        async with scene.adapters.engine.connect() as connection:
            return int(
                await connection.scalar(text("SELECT count(*) FROM runs WHERE status = 'active'")) or 0
            )

    with killed_workers(scene) as workers:
        tasks = [asyncio.create_task(workers.storm(over)), asyncio.create_task(live_on(scene, over))]

        async def finished() -> bool:
            for each in tasks:
                if each.done():
                    each.result()  # or nobody would hear what ended it, and all would wait for it
            return await active() == 0

        try:
            await eventually(finished, WITHIN_S, what="all runs have ended")
        finally:
            over.set()
            await asyncio.gather(*tasks)
    await look_at(scene)
    calls = scene.sink.message_ids
    log.info("%d kills, %d calls of %d messages", workers.kills, len(calls), len(set(calls)))


async def look_at(scene: Scene) -> None:
    runs = await scene.tables.rows(Run)
    assert Counter(run.status for run in runs) == {"completed": RUNS}, [
        run.error for run in runs if run.error
    ][:3]
    results: dict[str, dict[str, StepResult]] = {run.id: {} for run in runs}
    for each in await scene.tables.rows(StepResult):
        assert each.step not in results[each.run_id]
        results[each.run_id][each.step] = each
    for run in runs:
        found = results[run.id]
        assert list(found) == expected_steps(run, found)
        assert [each.position for each in found.values()] == list(range(run.position))
    await look_at_effects(scene, [each for found in results.values() for each in found.values()])


async def look_at_effects(scene: Scene, results: list[StepResult]) -> None:
    def ids(kind: str, name: str) -> Counter[str]:
        return Counter(derived_id(name, each.run_id, each.step) for each in results if each.kind == kind)

    envelopes: dict[str, list[str]] = {NOTIFICATION_REQUESTS.name: [], CUSTOMER_EVENTS.name: []}
    for message in await scene.tables.messages():
        envelopes[message.topic].append(msgspec.json.decode(message.value or b"", type=RawEnvelope).id)
    assert Counter(envelopes[NOTIFICATION_REQUESTS.name]) == ids("notify", "notification")
    assert Counter(envelopes[CUSTOMER_EVENTS.name]) == ids("task", "task.changed")
    tasks = {each.id: each.asked for each in await scene.tables.rows(Task)}
    wanted = Counter(each.ref for each in results if each.kind == "task")
    assert tasks == dict(wanted), "asked for as often as there are steps"
    assert Counter(each.id for each in await scene.tables.rows(Approval)) == ids("approve", "approval")
    assert set(scene.sink.message_ids) == set(ids("webhook", "webhook"))
    assert scene.sink.refused == []
