"""health-score's parts put together over one database; `app.py` adds what runs them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.clock import Clock
from csm_common.database import outbox
from health_score.adapters.accounts import PostgresAccounts
from health_score.adapters.conditions import compile_condition
from health_score.adapters.history import PostgresHistory
from health_score.adapters.intake import PostgresIntake
from health_score.adapters.journal import PostgresJournal
from health_score.adapters.models import PostgresModels
from health_score.adapters.reads import PostgresReads
from health_score.adapters.refolds import PostgresRefolds
from health_score.adapters.scorecards import PostgresScorecards
from health_score.adapters.shipping import ship
from health_score.adapters.sources import PostgresSources
from health_score.adapters.state_codec import StateCodec
from health_score.application.duties import Duties
from health_score.application.fold_facts import FactsHandler
from health_score.application.journals import Journals
from health_score.application.models import Models
from health_score.application.past import Pasts, ReadLog
from health_score.application.read_card import card_reader, shipped_cards
from health_score.application.refolding import Refolding
from health_score.application.scorecards import Scorecards
from health_score.application.sources import Sources
from health_score.application.states import States
from health_score.settings import HealthSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the writer and the API share."""

    engine: AsyncEngine
    models: Models
    duties: Duties
    codec: StateCodec
    reads: PostgresReads

    async def ship(self, now: datetime) -> None:
        """Add the scorecards that are shipped, and read the model for the first time."""
        async with self.engine.begin() as tx:
            await ship(tx, shipped_cards(now), now)
            await self.models.load(tx)

    def scorecards(self, clock: Clock) -> Scorecards:
        """What people do with scorecards."""
        return Scorecards(
            PostgresScorecards(self.engine), card_reader(compile_condition), compile_condition, clock
        )

    def refolding(self, settings: HealthSettings, read_log: ReadLog) -> Refolding:
        """What gives new signals their past."""
        return Refolding(
            PostgresRefolds(self.engine, self.codec), self.models, create_pasts(settings, read_log)
        )

    def handler(self, settings: HealthSettings, clock: Clock) -> FactsHandler:
        """The one writer of the accounts whose partitions are ours."""
        accounts = PostgresAccounts(self.codec)
        journals = Journals(
            PostgresJournal(), window_s=settings.journal_days * 86_400, most_facts=settings.journal_facts
        )
        return FactsHandler(
            self.duties,
            accounts,
            PostgresHistory(),
            States(accounts, most=settings.cached_accounts),
            journals,
            PostgresIntake(),
            outbox,
            Sources(PostgresSources()),
            clock,
            timer_batch=settings.timer_batch,
            rest_s=settings.rest_hours * 3_600,
        )


def create_parts(engine: AsyncEngine) -> Parts:
    """The parts over this database."""
    codec = StateCodec(lambda: models.signals)
    repository = PostgresModels(codec)
    models = Models(repository, card_reader(compile_condition))
    return Parts(
        engine,
        models,
        Duties(repository, PostgresAccounts(codec), models),
        codec,
        PostgresReads(engine, codec),
    )


def create_pasts(settings: HealthSettings, read_log: ReadLog) -> Pasts:
    """What folds the log again, with the writer's own bounds."""
    return Pasts(
        read_log,
        most=settings.cached_accounts,
        journal_s=settings.journal_days * 86_400,
        journal_facts=settings.journal_facts,
    )
