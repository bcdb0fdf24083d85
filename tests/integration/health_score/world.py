"""The writer on real PostgreSQL over a log in memory: facts, timers, models and refolds without a broker."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import ManualClock
from tests.support.health_score import EPOCH, record

from csm_common.database import positions
from csm_common.database.positions import Advance, LogStart
from csm_common.kafka.record import Record
from health_score.application.fold_facts import FactsHandler
from health_score.assembly import Parts, create_parts
from health_score.settings import HealthSettings

TOPIC = "customer.events.v1"
PARTITION = (TOPIC, 0)

_CHANGE = text("""
INSERT INTO model_changes (kind, name, version, actor, note, outreach, at)
VALUES ('activate', :name, :version, 'tests', '', :outreach, :at)
""")


@dataclass
class World:
    """One partition and whoever owns it. `start` again is a new process."""

    engine: AsyncEngine
    clock: ManualClock = field(default_factory=lambda: ManualClock(EPOCH))
    log: list[Record] = field(default_factory=list)
    settings: HealthSettings = field(default_factory=HealthSettings)

    async def start(self) -> None:
        """Claim the partition as a fresh process does."""
        self.parts: Parts = create_parts(self.engine)
        await self.parts.ship(self.clock.now())
        self.handler: FactsHandler = self.parts.handler(self.settings, self.clock)
        async with self.engine.begin() as tx:
            claims = await positions.claim(tx, "health-score", "tests", {PARTITION: LogStart("log", 0)})
            self.epoch = claims[PARTITION].epoch
            await self.handler.claimed(tx, [PARTITION])

    async def send(self, *events: Mapping[str, Any]) -> None:
        """Facts arrive and are folded in one batch."""
        records = [record(len(self.log) + at, each) for at, each in enumerate(events)]
        self.log += records
        await self.handle(records)

    async def handle(self, records: list[Record]) -> None:
        """One batch and its position in one transaction."""
        async with self.engine.begin() as tx:
            assert await positions.lock(tx, "health-score", {PARTITION: self.epoch})
            outcome = await self.handler.handle(tx, records)
            moved = Advance(records[-1].offset + 1, len(records), len(outcome.dead_letters))
            await positions.advance(tx, "health-score", {PARTITION: moved})
        outcome.committed()

    async def tick(self) -> None:
        """The timers, once."""
        async with self.engine.begin() as tx:
            assert await positions.lock(tx, "health-score", {PARTITION: self.epoch})
            outcome = await self.handler.handle_due(tx, [PARTITION], self.clock.now())
        outcome.committed()

    async def settle(self) -> None:
        """The timers, until no account is behind."""
        await self.tick()
        while self.parts.duties.behind() or self.parts.duties.stale:
            await self.tick()

    def read_log(self, partition: int, until: int) -> AsyncIterator[list[Record]]:
        """The log in batches of five."""

        async def batches() -> AsyncIterator[list[Record]]:
            for first in range(0, until, 5):
                yield self.log[first : min(first + 5, until)]

        return batches()

    async def refold(self) -> None:
        """Do the refolds that are asked for, and have the writer see it."""
        await self.parts.refolding(self.settings, self.read_log).round()
        self.parts.duties.look_out()

    async def activate(self, document: str, version: int, *, outreach: bool = False) -> None:
        """A version of the scorecard `default` goes into force."""
        async with self.engine.begin() as tx:
            await tx.execute(
                text("INSERT INTO scorecards VALUES ('default', :version, :document, 'tests', '', :at)"),
                {"version": version, "document": document, "at": self.clock.now()},
            )
            told = {"name": "default", "version": version, "outreach": outreach, "at": self.clock.now()}
            await tx.execute(_CHANGE, told)
        self.parts.duties.look_out()

    async def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the database says."""
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query), values)]
