"""The one file that knows everything: ingest put together from its parts."""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from fastapi import APIRouter
from starlette.types import ASGIApp

from csm_common.clock import Clock, SystemClock
from csm_common.contracts.topics import TOPICS
from csm_common.database.engine import service_engine
from csm_common.database.migrations import migrate
from csm_common.kafka.admin import TopicAdmin
from csm_common.kafka.consumer import ExactlyOnceConsumer
from csm_common.kafka.producer import Producer
from csm_common.kafka.relay import OutboxRelay
from csm_common.runtime import Loop, run_service
from csm_common.startup import until_available
from csm_common.web.auth import Authenticator, KeySource
from csm_common.web.factory import create_web_app
from csm_common.web.keys import KeyStore
from csm_common.web.probes import Check
from csm_common.web.server import HttpServer
from ingest.adapters.configuration import Configuration, load
from ingest.adapters.postgres.rejection_lists import PostgresRejectionLists
from ingest.adapters.postgres.sources import PostgresSources
from ingest.adapters.postgres.store import PostgresStore, work_in
from ingest.adapters.watch import Watch, after
from ingest.application.accept_events import AcceptEvents
from ingest.application.budget import Budget
from ingest.application.cloud_event import FORMAT
from ingest.application.cloud_event import read_cloud_event
from ingest.application.examine import Examiner
from ingest.application.facts import Facts
from ingest.application.incoming import Reader
from ingest.application.intake import Intake
from ingest.application.limiter import Limiter
from ingest.application.personal import personal_data
from ingest.application.plans import Plans
from ingest.application.ports import Publisher, Store
from ingest.application.recent import Recent
from ingest.application.replay import Replay
from ingest.application.settlement import Settlement
from ingest.application.sources import SourceTally
from ingest.application.tallying import Tallying
from ingest.application.understanding import Understanding
from ingest.application.webhooks.connections import Connection, connect
from ingest.application.webhooks.connections import readers as webhook_readers
from ingest.entrypoints.api import PATH, EventsEndpoint, HotRoute
from ingest.entrypoints.bodies import Bodies
from ingest.entrypoints.cloudevents import Handshake
from ingest.entrypoints.consumer import DeadLettersConsumer
from ingest.entrypoints.openapi import document_events
from ingest.entrypoints.pollers import SourceFlush, prune_poller
from ingest.entrypoints.rejections import rejection_routes
from ingest.entrypoints.sources import source_routes
from ingest.entrypoints.webhooks import webhook_routes
from ingest.settings import DoorSettings, IngestSettings

SCHEMA = "ingest"
MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Handlers:
    """The use cases, which share what they remember and count."""

    accept: AcceptEvents
    intake: Intake
    replay: Replay


@dataclass(frozen=True, slots=True)
class Parts:
    """What the use cases are made of; `wake` is called when the outbox has something new."""

    store: Store
    publisher: Publisher
    tally: SourceTally
    clock: Clock
    connections: Mapping[str, Connection]
    wake: Callable[[], None] = lambda: None


def handlers(
    settings: DoorSettings, configuration: Configuration, parts: Parts, environment: Mapping[str, str]
) -> Handlers:
    """The use cases over whatever keeps tables and publishes; secrets are in `environment`."""
    recent, tallying = Recent(settings.remembered_ids), Tallying(parts.tally)
    privacy = personal_data(configuration.personal_data, environment)
    late_after = timedelta(seconds=settings.late_after_s)
    examiner = Examiner(Plans(configuration.plans), privacy, parts.tally, late_after)
    facts = Facts(examiner)
    understanding = Understanding(_readers(configuration, parts.connections), facts)
    settlement = Settlement(facts, recent, timedelta(seconds=settings.hold_for_s))
    shared = (parts.store, parts.publisher, recent, tallying, parts.clock, parts.wake)
    return Handlers(
        AcceptEvents(examiner, *shared),
        Intake(understanding, settlement, *shared),
        Replay(understanding, settlement, parts.store, parts.clock, parts.wake),
    )


def _readers(configuration: Configuration, connections: Mapping[str, Connection]) -> dict[str, Reader]:
    return {FORMAT: read_cloud_event, **webhook_readers(connections)}


def create_app(
    settings: IngestSettings,
    handlers: Handlers,
    *,
    keys: KeySource,
    clock: Clock,
    connections: Mapping[str, Connection],
    routers: Sequence[APIRouter] = (),
    ready: dict[str, Check],
) -> ASGIApp:
    """The HTTP app over the use cases; `routers` are those that read tables."""
    limits = settings.ingest
    authenticator = Authenticator(keys, clock)
    bodies = Bodies(limit=settings.http.max_body_bytes, deadline_s=limits.body_deadline_s)
    budget, limiter = Budget(limits.max_bytes_in_flight), Limiter(limits.events_per_s)
    app = create_web_app(
        title="ingest",
        description="Takes facts about customers, and answers once they are durable.",
        authenticator=authenticator,
        routers=[webhook_routes(connections, handlers.intake, bodies, budget, clock), *routers],
        ready=ready,
        alive={},
    )
    document_events(app)
    handshake = Handshake(limits.events_per_s * 60)
    endpoint = EventsEndpoint(handlers.accept, bodies, budget, authenticator, limiter, handshake)
    return HotRoute(app, PATH, endpoint)


@asynccontextmanager
async def build(settings: IngestSettings) -> AsyncIterator[Sequence[Loop]]:
    """Open what the service needs; its loops in the order in which they are stopped."""
    configuration = load(settings.ingest.config)
    connections = connect(configuration.webhooks, os.environ)
    clock = SystemClock()
    engine = service_engine(settings.database, SCHEMA)
    await until_available("PostgreSQL", lambda: migrate(engine, schema=SCHEMA, scripts=MIGRATIONS))
    keys, sources = KeyStore(engine), PostgresSources(engine)
    admin = TopicAdmin(settings.kafka)
    topics = [each for each in TOPICS if "ingest" in each.producers]
    brokers = Watch("Kafka", lambda: admin.ensure_topics(topics), every_s=10.0)
    database = Watch("The table of API keys", lambda: keys.load("readiness"))
    tally = SourceTally()
    async with Producer(settings.kafka, deadline_s=settings.ingest.broker_deadline_s) as producer:
        relay = OutboxRelay(engine, producer)
        parts = Parts(PostgresStore(engine), producer, tally, clock, connections, relay.wake)
        cases = handlers(settings.ingest, configuration, parts, os.environ)
        letters = ExactlyOnceConsumer(
            settings.kafka, engine, DeadLettersConsumer(work_in, clock), clock=clock
        )
        routers = [
            rejection_routes(PostgresRejectionLists(engine), cases.replay, clock),
            source_routes(sources, clock),
        ]
        app = create_app(
            settings,
            cases,
            keys=keys,
            clock=clock,
            connections=connections,
            routers=routers,
            ready={"brokers": brokers.problem, "keys": database.problem},
        )
        yield [
            Loop("http", HttpServer(app, settings.http).run),
            Loop("brokers", brokers.run),
            Loop("keys", database.run),
            Loop("dead letters", after(brokers.answered, letters.run)),
            Loop("sources", SourceFlush(tally, sources).run),
            Loop("pruning", prune_poller(sources, clock).run),
            Loop("relay", relay.run),
        ]
    await engine.dispose()


def main() -> None:
    """Run until SIGTERM."""
    run_service("ingest", IngestSettings(), build)
