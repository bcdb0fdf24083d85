"""The one file that knows everything: health-score put together from its parts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from csm_common.clock import SystemClock
from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database.engine import service_engine
from csm_common.kafka.consumer import ExactlyOnceConsumer
from csm_common.kafka.log_reader import read_log
from csm_common.kafka.producer import Producer
from csm_common.kafka.relay import OutboxRelay
from csm_common.runtime import Loop, run_service
from csm_common.settings import KafkaSettings
from csm_common.startup import prepare
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.keys import KeyStore
from csm_common.web.probes import consumer_checks
from csm_common.web.server import HttpServer
from csm_common.web.tokens import token_reader
from health_score.adapters.changes import PostgresFeed
from health_score.adapters.fleet import PostgresFleet
from health_score.adapters.histories import PostgresHistories
from health_score.adapters.listing import PostgresListing
from health_score.adapters.models import newest
from health_score.adapters.sources import PostgresSources
from health_score.adapters.visible import PostgresSight
from health_score.application.changes import Changes
from health_score.application.explaining import Explainer
from health_score.application.past import ReadLog
from health_score.application.told import Histories
from health_score.assembly import create_parts
from health_score.domain.guard import GuardPolicy
from health_score.entrypoints.api import create_router
from health_score.entrypoints.changes import create_changes_router
from health_score.entrypoints.explain import create_explain_router
from health_score.entrypoints.export import create_export_router
from health_score.entrypoints.fleet import create_fleet_router
from health_score.entrypoints.history import create_history_router
from health_score.entrypoints.pollers import guard_poller, model_poller, refold_poller
from health_score.entrypoints.scorecards import create_scorecards_router
from health_score.settings import GuardSettings, HealthScoreSettings

SCHEMA = "health_score"


@asynccontextmanager
async def build(settings: HealthScoreSettings) -> AsyncIterator[Sequence[Loop]]:
    """Open what the service needs; its loops in the order in which they are stopped."""
    clock = SystemClock()
    engine = service_engine(settings.database, SCHEMA)
    await prepare(settings.kafka, engine, schema=SCHEMA, scripts=Path(__file__).parent / "migrations")
    parts, lists = create_parts(engine), PostgresListing(engine)
    await parts.ship(clock.now())
    async with Producer(settings.kafka) as producer:
        relay = OutboxRelay(engine, producer)
        handler = parts.handler(settings.health, clock)
        consumer = ExactlyOnceConsumer(settings.kafka, engine, handler, clock=clock, on_commit=relay.wake)
        ready, alive = consumer_checks(consumer)
        histories, sight, changes = (
            PostgresHistories(engine),
            PostgresSight(engine),
            Changes(PostgresFeed(engine)),
        )
        app = create_web_app(
            title="health-score",
            description="Keeps a health score per account, always explained, and announces threshold crossings.",
            authenticator=Authenticator(KeyStore(engine), clock, tokens=token_reader(settings.http)),
            routers=[
                create_explain_router(Explainer(parts.reads, histories, parts.models, clock), sight),
                create_history_router(Histories(histories, clock), histories, sight),
                create_changes_router(changes),
                create_export_router(lists, parts.models, clock),
                create_fleet_router(PostgresFleet(engine), parts.models, clock),
                create_scorecards_router(parts.scorecards(clock)),
                create_router(parts.reads, lists, parts.models, clock),
            ],
            ready=ready,
            alive=alive,
        )
        yield [
            Loop("changes", changes.run),
            Loop("http", HttpServer(app, settings.http).run),
            Loop("consumer", consumer.run),
            Loop("guard", guard_poller(engine, PostgresSources(), _policy(settings.guard), clock).run),
            Loop("refolds", refold_poller(parts.refolding(settings.health, log_reader(settings.kafka))).run),
            Loop("models", model_poller(engine, newest, parts.models, parts.duties.look_out).run),
            Loop("relay", relay.run),
        ]
    await engine.dispose()


def log_reader(kafka: KafkaSettings) -> ReadLog:
    """What reads a partition of the facts' log."""
    return lambda partition, until: read_log(kafka, (CUSTOMER_EVENTS.name, partition), until)


def _policy(settings: GuardSettings) -> GuardPolicy:
    return GuardPolicy(
        accounts=settings.accounts,
        known_s=settings.known_days * 86_400,
        least_s=settings.least_hours * 3_600,
        factor=settings.factor,
    )


def main() -> None:
    """Run until SIGTERM."""
    run_service("health-score", HealthScoreSettings(), build)
