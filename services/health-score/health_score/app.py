"""The one file that knows everything: health-score put together from its parts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from csm_common.clock import Clock, SystemClock
from csm_common.database import outbox
from csm_common.database.engine import service_engine
from csm_common.kafka.consumer import ExactlyOnceConsumer
from csm_common.kafka.producer import Producer
from csm_common.kafka.relay import OutboxRelay
from csm_common.runtime import Loop, run_service
from csm_common.startup import prepare
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.keys import KeyStore
from csm_common.web.probes import consumer_checks
from csm_common.web.server import HttpServer
from health_score.adapters.accounts import PostgresAccounts
from health_score.adapters.intake import PostgresIntake
from health_score.adapters.journal import PostgresJournal
from health_score.adapters.reads import PostgresReads
from health_score.adapters.state_codec import StateCodec
from health_score.application.fold_facts import FactsHandler
from health_score.application.journals import Journals
from health_score.application.scorecard_file import default_scorecard
from health_score.application.states import States
from health_score.domain.compiled import CompiledCard, compile_card
from health_score.entrypoints.api import create_router
from health_score.settings import HealthScoreSettings

SCHEMA = "health_score"


@asynccontextmanager
async def build(settings: HealthScoreSettings) -> AsyncIterator[Sequence[Loop]]:
    """Open what the service needs; its loops in the order in which they are stopped."""
    clock = SystemClock()
    card = compile_card(default_scorecard())
    codec = StateCodec(card)
    engine = service_engine(settings.database, SCHEMA)
    await prepare(settings.kafka, engine, schema=SCHEMA, scripts=Path(__file__).parent / "migrations")
    async with Producer(settings.kafka) as producer:
        relay = OutboxRelay(engine, producer)
        handler = _handler(settings, card, codec, clock)
        consumer = ExactlyOnceConsumer(settings.kafka, engine, handler, clock=clock, on_commit=relay.wake)
        ready, alive = consumer_checks(consumer)
        app = create_web_app(
            title="health-score",
            description="Keeps a health score per account, always explained, and announces threshold crossings.",
            authenticator=Authenticator(KeyStore(engine), clock),
            routers=[create_router(PostgresReads(engine, codec), card, clock)],
            ready=ready,
            alive=alive,
        )
        yield [
            Loop("http", HttpServer(app, settings.http).run),
            Loop("consumer", consumer.run),
            Loop("relay", relay.run),
        ]
    await engine.dispose()


def _handler(
    settings: HealthScoreSettings, card: CompiledCard, codec: StateCodec, clock: Clock
) -> FactsHandler:
    accounts = PostgresAccounts(codec)
    return FactsHandler(
        card,
        accounts,
        States(accounts, most=settings.health.cached_accounts),
        Journals(
            PostgresJournal(),
            window_s=settings.health.journal_days * 86_400,
            most_facts=settings.health.journal_facts,
        ),
        PostgresIntake(),
        outbox,
        clock,
        timer_batch=settings.health.timer_batch,
    )


def main() -> None:
    """Run until SIGTERM."""
    run_service("health-score", HealthScoreSettings(), build)
