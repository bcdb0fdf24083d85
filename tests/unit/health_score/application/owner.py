"""A process that owns a partition, on fakes, for tests of the one writer."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.clock import ManualClock
from tests.support.health_score import (
    EPOCH,
    MemoryAccounts,
    MemoryHistory,
    MemoryIntake,
    MemoryJournal,
    MemoryModels,
    MemoryOutbox,
    MemorySources,
    plain_scorecard,
)

from csm_common.kafka.record import Outcome, Record
from health_score.application.duties import Duties
from health_score.application.fold_facts import FactsHandler
from health_score.application.journals import Journals
from health_score.application.model_ports import StoredCard
from health_score.application.models import Models, ReadCard
from health_score.application.sources import Sources
from health_score.application.states import States
from health_score.domain.compiled import compile_card
from health_score.domain.model import Choice

CARD = compile_card(plain_scorecard())
TX = cast("AsyncConnection", None)  # the fakes do not look at it
PARTITION = ("customer.events.v1", 0)


DEFAULT = StoredCard(name="default", version=1, document="", author="tests", note="", created_at=EPOCH)


def read_default(stored: StoredCard) -> Choice:
    """The plain scorecard, which is read once for all tests."""
    return Choice(CARD)


def default_models(erased_at: dict[str, int]) -> MemoryModels:
    """With the plain scorecard in force."""
    models = MemoryModels(erased_at)
    models.add(DEFAULT)
    models.change("activate", "default", version=1)
    return models


@dataclass
class Owner:
    """A process that owns partition 0, over stores that outlive it."""

    accounts: MemoryAccounts = field(default_factory=MemoryAccounts)
    history: MemoryHistory = field(default_factory=MemoryHistory)
    models: MemoryModels = field(init=False)
    duties: Duties = field(init=False)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    intake: MemoryIntake = field(default_factory=MemoryIntake)
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    sources: MemorySources = field(default_factory=MemorySources)
    clock: ManualClock = field(default_factory=lambda: ManualClock(EPOCH))
    most_facts: int = 1_000
    timer_batch: int = 10
    rest_s: float = 86_400.0
    read_card: ReadCard = read_default
    tx: ClassVar[AsyncConnection] = TX

    def __post_init__(self) -> None:
        self.models = default_models(self.accounts.erased_at)

    async def start(self) -> FactsHandler:
        """A fresh process claims the partition."""
        self.duties = Duties(self.models, self.accounts, Models(self.models, self.read_card))
        handler = FactsHandler(
            self.duties,
            self.accounts,
            self.history,
            States(self.accounts, most=2),
            Journals(self.journal, window_s=86_400, most_facts=self.most_facts),
            self.intake,
            self.outbox,
            Sources(self.sources),
            self.clock,
            timer_batch=self.timer_batch,
            rest_s=self.rest_s,
        )
        await handler.claimed(TX, [PARTITION])
        return handler

    @contextmanager
    def rolled_back(self, handler: FactsHandler) -> Iterator[None]:
        """What is done inside is a transaction that fails."""
        stores = (
            self.accounts,
            self.history,
            self.models,
            self.journal,
            self.intake,
            self.outbox,
            self.sources,
        )
        kept = [
            (vars(store), {name: _copied(each) for name, each in vars(store).items()}) for store in stores
        ]
        yield
        for now, before in kept:
            for name, value in before.items():
                _put_back(now, name, value)
        handler.forget()


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: copy(each) for key, each in value.items()}
    return copy(value)


def _put_back(now: dict[str, Any], name: str, before: Any) -> None:
    """Into the same dictionary, which stores may share."""
    if isinstance(before, dict):
        now[name].clear()
        now[name].update(before)
    else:
        now[name] = before


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
