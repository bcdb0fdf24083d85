"""The handlers over any store, with a clock to move and endpoints that answer as told: what a process does, a round at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from tests.support.clock import START, ManualClock
from tests.unit.playbooks.builders import a_crossing, a_snapshot, received, received_snapshot
from tests.unit.playbooks.engine.endpoints import ToldEndpoints
from tests.unit.playbooks.engine.tables import Tables

from csm_common.contracts.envelope import RawEnvelope
from csm_common.contracts.notifications import NotificationRequest
from csm_common.contracts.topics import NOTIFICATION_REQUESTS
from playbooks.application.handlers.accounts import keep_accounts
from playbooks.application.handlers.calls import Call, claim_calls, make_call
from playbooks.application.handlers.crossings import Changes, handle_crossings
from playbooks.application.handlers.definitions import publish
from playbooks.application.handlers.steps import Advanced, Rules, advance_due
from playbooks.application.model import Approval, Entry, ReceivedCrossing, Switch, Task
from playbooks.application.ports import Transactions
from playbooks.domain.definition import Definition
from playbooks.domain.run import Run, StepResult

RETRY = (1.0, 10.0)


@dataclass
class Service:
    """One process. `worker` names it; `rules` may be replaced."""

    transactions: Transactions
    tables: Tables
    clock: ManualClock = field(default_factory=ManualClock)
    rules: Rules = field(default_factory=lambda: Rules(retry_after_s=RETRY))
    endpoints: ToldEndpoints = field(default_factory=ToldEndpoints)
    worker: str = "worker-1"

    # ---- what comes in

    async def publish(self, *definitions: Definition) -> None:
        """Put these in force."""
        await publish(self.transactions, definitions, self.clock)

    async def receive(self, *crossings: ReceivedCrossing) -> Changes:
        """Crossings in one batch."""
        async with self.transactions.begin() as store:
            return await handle_crossings(store, crossings, self.clock.now())

    async def begin(self, *definitions: Definition, traceparent: str | None = None) -> None:
        """The playbooks, and the crossing c-1 of acme."""
        await self.publish(*definitions)
        await self.receive(received("c-1", a_crossing(), traceparent))

    async def learn(self, account: str = "acme", **members: Any) -> int:
        """A snapshot in; how many runs it woke."""
        snapshot = received_snapshot(a_snapshot(account, **members))
        async with self.transactions.begin() as store:
            return await keep_accounts(store, [], [snapshot], self.clock.now())

    async def answer(self, said: Literal["approved", "rejected"]) -> None:
        """Say so to the one open question, as the desk of approvals does."""
        [asked] = [each for each in await self.approvals() if each.status == "pending"]
        async with self.transactions.begin() as store:
            now = self.clock.now()
            [run] = await store.runs.lock([asked.run_id])
            await store.approvals.answer(
                replace(asked, status=said, answered_at=now, answered_by="person:maria")
            )
            await store.runs.update([replace(run, due_at=now)])

    async def throw(self, name: str, state: Literal["active", "paused", "archived"]) -> None:
        """A switch."""
        switch = Switch(name=name, state=state, reason="stop", actor="person:ana", at=self.clock.now())
        async with self.transactions.begin() as store:
            await store.switches.throw(switch)

    # ---- what the clock does

    async def tick(self, times: int = 1, limit: int = 100) -> Advanced:
        """Rounds of the ticker."""
        advanced = Advanced([], None)
        for _ in range(times):
            advanced = await advance_due(
                self.transactions, self.clock.now(), self.rules, worker=self.worker, limit=limit
            )
        return advanced

    async def claim(self, limit: int = 100) -> Sequence[Call]:
        """Calls to make."""
        claimed = await claim_calls(self.transactions, self.clock.now(), self.rules, limit=limit)
        return claimed.calls

    async def make(self, call: Call) -> Run | None:
        """Make it, and come back."""
        return await make_call(self.transactions, self.endpoints, call, self.clock, self.rules)

    async def settle(self) -> None:
        """Rounds of both until nothing more comes of them at this time."""
        for _ in range(200):
            advanced = await self.tick()
            calls = await self.claim()
            for call in calls:
                await self.make(call)
            if not advanced.runs and not calls:
                return
        raise AssertionError("it never comes to rest")

    async def later(self, by: timedelta) -> None:
        """Go on by so much time, with somebody looking whenever something is due."""
        end = self.clock.now() + by
        while True:
            await self.settle()
            async with self.transactions.begin() as store:
                due = await store.runs.next_due()
            if due is None or due > end:
                break
            self.clock.set(max(due, self.clock.now()))
        self.clock.set(end)

    # ---- what came of it

    async def runs(self, status: str | None = None) -> list[Run]:
        """All runs, or those of a status, by crossing and playbook."""
        found = [run for run in await self.tables.rows(Run) if status in (None, run.status)]
        return sorted(found, key=lambda run: (run.crossing_id, run.playbook))

    async def run(self) -> Run:
        """The only one."""
        [run] = await self.tables.rows(Run)
        return run

    async def results(self, run_id: str | None = None) -> list[StepResult]:
        """Step results in order."""
        return [each for each in await self.tables.rows(StepResult) if run_id in (None, each.run_id)]

    async def path(self) -> list[tuple[str, str]]:
        """Steps with their outcomes."""
        return [(each.step, str(each.outcome)) for each in await self.results()]

    async def refusals(self) -> list[tuple[str, str | None]]:
        """Playbooks with the codes of why they did not start."""
        return [
            (each.playbook, each.code) for each in await self.tables.rows(Entry) if each.outcome != "started"
        ]

    async def tasks(self) -> list[Task]:
        """All tasks."""
        return await self.tables.rows(Task)

    async def approvals(self) -> list[Approval]:
        """All questions."""
        return await self.tables.rows(Approval)

    async def envelopes(self, topic: str) -> list[RawEnvelope]:
        """What is to be published on a topic."""
        found = [each for each in await self.tables.messages() if each.topic == topic]
        return [msgspec.json.decode(each.value or b"", type=RawEnvelope) for each in found]

    async def requests(self) -> list[NotificationRequest]:
        """Messages asked for."""
        found = await self.envelopes(NOTIFICATION_REQUESTS.name)
        return [msgspec.json.decode(each.data, type=NotificationRequest) for each in found]


def entered(
    crossing_id: str, account: str = "acme", threshold: str = "at_risk", at: datetime = START, **snapshot: Any
) -> ReceivedCrossing:
    """The account fell below."""
    news = a_snapshot(account, **snapshot)
    return received(crossing_id, a_crossing(account, threshold, "entered", at, news))


def left(
    crossing_id: str, account: str = "acme", threshold: str = "at_risk", **snapshot: Any
) -> ReceivedCrossing:
    """The account rose again."""
    news = a_snapshot(account, **snapshot)
    return received(crossing_id, a_crossing(account, threshold, "left", START, news))
