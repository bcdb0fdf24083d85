"""A process that owns a partition, on fakes, for tests of the one writer."""

from dataclasses import dataclass, field
from typing import ClassVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.clock import ManualClock
from tests.support.health_score import EPOCH, MemoryAccounts, MemoryIntake, MemoryJournal, MemoryOutbox

from csm_common.kafka.record import Outcome, Record
from health_score.application.fold_facts import FactsHandler
from health_score.application.journals import Journals
from health_score.application.scorecard_file import default_scorecard
from health_score.application.states import States
from health_score.domain.compiled import compile_card

CARD = compile_card(default_scorecard())
TX = cast("AsyncConnection", None)  # the fakes do not look at it
PARTITION = ("customer.events.v1", 0)


@dataclass
class Owner:
    """A process that owns partition 0, over stores that outlive it."""

    accounts: MemoryAccounts = field(default_factory=MemoryAccounts)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    intake: MemoryIntake = field(default_factory=MemoryIntake)
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    clock: ManualClock = field(default_factory=lambda: ManualClock(EPOCH))
    most_facts: int = 1_000
    tx: ClassVar[AsyncConnection] = TX

    async def start(self) -> FactsHandler:
        """A fresh process claims the partition."""
        handler = FactsHandler(
            CARD,
            self.accounts,
            States(self.accounts, most=2),
            Journals(self.journal, window_s=86_400, most_facts=self.most_facts),
            self.intake,
            self.outbox,
            self.clock,
            timer_batch=10,
        )
        await handler.claimed(TX, [PARTITION])
        return handler


async def commit(handler: FactsHandler, *records: Record) -> Outcome:
    """Handle the records in a transaction that lasts."""
    outcome = await handler.handle(TX, records)
    outcome.committed()
    return outcome


def crossings(owner: Owner) -> list[tuple[str, str]]:
    """Threshold and direction of what was announced, in order."""
    told = owner.outbox.told("health.crossings.v1")
    crossed = [each["data"] for each in told if each["type"] == "csm.threshold.crossed"]
    return [(each["threshold"], each["direction"]) for each in crossed]
