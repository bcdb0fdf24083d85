"""A playbook played by the real handlers, in memory or on another store: crossings, news and the clock in, stories out."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.support.clock import ManualClock
from tests.unit.playbooks.builders import a_crossing, a_snapshot, received, received_snapshot

from csm_common.contracts.health import AccountSnapshot, Crossing
from playbooks.adapters.memory.reads import MemoryReads
from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.application.handlers.accounts import keep_accounts
from playbooks.application.handlers.calls import claim_calls, make_call
from playbooks.application.handlers.crossings import handle_crossings
from playbooks.application.handlers.steps import Rules, advance_due
from playbooks.application.model import Known
from playbooks.application.ports import Transactions
from playbooks.application.reads import Reads, RunFilter
from playbooks.application.timeline import RunDetail, run_detail
from playbooks.application.view import Holding
from playbooks.domain.definition import Definition
from playbooks.domain.entry import Verdict
from playbooks.domain.run import Run


def _escalated(known: Known) -> Verdict:
    return Verdict(admitted="escalated" in known.snapshot.thresholds)


RULES = Rules(
    hold=Holding(condition=_escalated, reason="an escalation is in progress"), retry_after_s=(60.0,)
)


class Answering:
    """Implements Endpoints with one answer: a status, or what is raised."""

    def __init__(self, answer: int | Exception) -> None:
        self._answer = answer

    def known(self) -> frozenset[str]:
        return frozenset({"crm"})

    async def call(self, endpoint: str, *, message_id: str, at: datetime, body: bytes) -> int:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Scene:
    """One clock, one store, and what drives them."""

    def __init__(self, transactions: Transactions | None = None, reads: Reads | None = None) -> None:
        self.clock = ManualClock()
        self.database = MemoryDatabase()
        self.transactions = transactions or self.database
        self.reads = reads or MemoryReads(self.database.state)

    async def ship(self, *definitions: Definition) -> None:
        async with self.transactions.begin() as store:
            await store.playbooks.ship(definitions, self.clock.now())

    async def cross(self, crossing_id: str, crossing: Crossing | None = None) -> None:
        async with self.transactions.begin() as store:
            await handle_crossings(store, [received(crossing_id, crossing or a_crossing())], self.clock.now())

    async def tell(self, revision: int, **members: Any) -> AccountSnapshot:
        """A newer snapshot of acme."""
        snapshot = a_snapshot(revision=revision, **members)
        async with self.transactions.begin() as store:
            await keep_accounts(store, [], [received_snapshot(snapshot)], self.clock.now())
        return snapshot

    async def go_on(self, later: timedelta = timedelta(0)) -> None:
        """Take every step that is due by then."""
        self.clock.advance(later)
        while (await self._round()).runs:
            pass

    async def _round(self) -> Any:
        return await advance_due(self.transactions, self.clock.now(), RULES, worker="w", limit=10)

    async def call(self, answer: int | Exception = 200) -> None:
        """Make the calls that are due."""
        claimed = await claim_calls(self.transactions, self.clock.now(), RULES, limit=10)
        for call in claimed.calls:
            await make_call(self.transactions, Answering(answer), call, self.clock, RULES)

    def runs(self) -> Sequence[Run]:
        """Those in memory, the oldest first."""
        return sorted(self.database.state.runs.values(), key=lambda run: (run.started_at, run.priority))

    async def detail(self, run_id: str | None = None) -> RunDetail:
        """The story of a run, of the one there is where none is named."""
        story = await self.reads.run(run_id or (await self.reads.runs(RunFilter(), 1, None))[0].id)
        assert story is not None
        return run_detail(story)

    async def told(self, run_id: str | None = None) -> list[str]:
        """The sentences of a story, each followed by its reasons; without how it began."""
        moments = (await self.detail(run_id)).timeline[1:]
        return [" | ".join([each.told, *each.because]) for each in moments]


async def a_scene(*definitions: Definition, crossing: Crossing | None = None) -> Scene:
    """The playbooks in force, acme's crossing handled, and every step taken that is due at once."""
    scene = Scene()
    await scene.ship(*definitions)
    await scene.cross("c-1", crossing)
    await scene.go_on()
    return scene
