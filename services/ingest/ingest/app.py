"""The one file that knows everything: ingest put together from its parts."""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from csm_common.clock import Clock, SystemClock
from csm_common.contracts.topics import TOPICS
from csm_common.database.engine import service_engine
from csm_common.database.migrations import migrate
from csm_common.kafka.admin import TopicAdmin
from csm_common.kafka.consumer import ExactlyOnceConsumer
from csm_common.kafka.producer import Producer
from csm_common.kafka.relay import OutboxRelay
from csm_common.poller import Poller
from csm_common.runtime import Loop, run_service
from csm_common.startup import until_available
from csm_common.web.auth import Authenticator
from csm_common.web.keys import KeyStore
from csm_common.web.server import HttpServer
from ingest.adapters.configuration import Configuration, load
from ingest.adapters.postgres.erasure import PostgresArchive
from ingest.adapters.postgres.imports import PostgresImports
from ingest.adapters.postgres.pruning import PostgresPruning
from ingest.adapters.postgres.rejection_lists import PostgresRejectionLists
from ingest.adapters.postgres.sources import PostgresSources
from ingest.adapters.postgres.store import PostgresStore, work_in
from ingest.adapters.watch import Run, Watch, after
from ingest.application import cloud_event
from ingest.application.accept_events import AcceptEvents
from ingest.application.erase import Archive, Erase
from ingest.application.examine import Examiner
from ingest.application.facts import Facts
from ingest.application.handlers import Handlers, Reads
from ingest.application.imports.importing import Importing
from ingest.application.imports.parking import FORMAT as LINES
from ingest.application.imports.parking import LineParking
from ingest.application.imports.patience import Patience
from ingest.application.imports.ports import Jobs
from ingest.application.imports.reader import line_reader
from ingest.application.imports.run import Surroundings
from ingest.application.incoming import Reader
from ingest.application.intake import Intake
from ingest.application.personal import personal_data
from ingest.application.plans import Plans
from ingest.application.ports import Publisher, Store
from ingest.application.recent import Recent
from ingest.application.release import Release
from ingest.application.replay import Replay
from ingest.application.sdk import posthog, segment
from ingest.application.sdk.rules import Rules
from ingest.application.settlement import Settlement
from ingest.application.sources import SourceTally
from ingest.application.tallying import Tallying
from ingest.application.understanding import Understanding
from ingest.application.webhooks.connections import Connection, connect
from ingest.application.webhooks.connections import readers as webhook_readers
from ingest.entrypoints.consumer import DeadLettersConsumer
from ingest.entrypoints.http import create_app
from ingest.entrypoints.pollers import SourceFlush, prune_poller, rejections_poller
from ingest.settings import DoorSettings, IngestSettings

SCHEMA = "ingest"
MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the use cases lean on; `wake` is called when the outbox has something new."""

    store: Store
    jobs: Jobs
    archive: Archive
    publisher: Publisher
    clock: Clock
    tally: SourceTally
    connections: Mapping[str, Connection]
    environment: Mapping[str, str]
    wake: Callable[[], None] = lambda: None


def create_handlers(settings: DoorSettings, configuration: Configuration, parts: Parts) -> Handlers:
    """The use cases over whatever keeps tables and publishes."""
    recent, tallying = Recent(settings.remembered_ids), Tallying(parts.tally)
    privacy = personal_data(configuration.personal_data, parts.environment)
    late_after = timedelta(seconds=settings.late_after_s)
    examiner = Examiner(Plans(configuration.plans), privacy, parts.tally, late_after)
    facts = Facts(examiner)
    understanding = Understanding(_readers(configuration, parts.connections), facts)
    settlement = Settlement(facts, recent, timedelta(seconds=settings.hold_for_s))
    shared = (parts.store, parts.publisher, recent, tallying, parts.clock, parts.wake)
    accept = AcceptEvents(examiner, *shared)
    parking, patience = LineParking(parts.store, parts.tally), Patience(settings.imports.patience_s)
    imports = Surroundings(accept, parts.jobs, parking, parts.clock, settings.imports, patience)
    return Handlers(
        accept=accept,
        intake=Intake(understanding, settlement, *shared),
        replay=Replay(understanding, settlement, parts.store, parts.clock, parts.wake),
        release=Release(settlement, parts.store, parts.clock, parts.wake),
        importing=Importing(imports),
        erase=Erase(parts.archive, parts.clock, parts.wake),
    )


def _readers(configuration: Configuration, connections: Mapping[str, Connection]) -> dict[str, Reader]:
    rules = Rules(configuration.sdk)
    return {
        cloud_event.FORMAT: cloud_event.read_cloud_event,
        segment.FORMAT: segment.SegmentReader(rules),
        posthog.FORMAT: posthog.PosthogReader(rules),
        LINES: line_reader(cloud_event.read_cloud_event),
        **webhook_readers(connections),
    }


@asynccontextmanager
async def build(settings: IngestSettings) -> AsyncIterator[Sequence[Loop]]:
    """Open what the service needs; its loops in the order in which they are stopped."""
    configuration = load(settings.ingest.config)
    connections = connect(configuration.webhooks, os.environ)
    clock, tally = SystemClock(), SourceTally()
    engine = service_engine(settings.database, SCHEMA)
    await until_available("PostgreSQL", lambda: migrate(engine, schema=SCHEMA, scripts=MIGRATIONS))
    keys, jobs, sources = KeyStore(engine), PostgresImports(engine), PostgresSources(engine)
    rejections = PostgresRejectionLists(engine)
    admin = TopicAdmin(settings.kafka)
    topics = [each for each in TOPICS if "ingest" in each.producers]
    database = Watch("The table of API keys", lambda: keys.load("readiness"))
    limits = settings.ingest
    pruning = PostgresPruning(
        engine,
        decisions_kept=timedelta(seconds=limits.decisions_kept_s),
        rejections_kept=timedelta(seconds=limits.rejections_kept_s),
    )
    letters = DeadLettersConsumer(work_in, clock)
    async with Producer(settings.kafka, deadline_s=settings.ingest.broker_deadline_s) as producer:

        async def warm_up() -> None:
            await admin.ensure_topics(topics)
            await producer.warm_up(topics)

        brokers = Watch("Kafka", warm_up, every_s=10.0)
        relay = OutboxRelay(engine, producer)
        parts = Parts(
            store=PostgresStore(engine),
            jobs=jobs,
            archive=PostgresArchive(engine),
            publisher=producer,
            clock=clock,
            tally=tally,
            connections=connections,
            environment=os.environ,
            wake=relay.wake,
        )
        handlers = create_handlers(settings.ingest, configuration, parts)
        app = create_app(
            settings,
            handlers,
            Reads(jobs=jobs, rejections=rejections, sources=sources),
            authenticator=Authenticator(keys, clock),
            clock=clock,
            connections=connections,
            ready={"brokers": brokers.problem, "keys": database.problem},
        )

        def read_letters() -> Run:
            return ExactlyOnceConsumer(settings.kafka, engine, letters, clock=clock).run

        yield [
            Loop("imports", handlers.importing.leaving.run),
            Loop("http", HttpServer(app, settings.http).run),
            Loop("brokers", brokers.run),
            Loop("keys", database.run),
            Loop("dead letters", after(brokers.answered, read_letters)),
            Loop("sources", SourceFlush(tally, sources).run),
            Loop("rejections", rejections_poller(rejections, clock).run),
            Loop("release", Poller("release", handlers.release.round, interval_s=30.0).run),
            Loop("pruning", prune_poller([sources, pruning], clock).run),
            Loop("relay", relay.run),
        ]
    await engine.dispose()


def main() -> None:
    """Run until SIGTERM."""
    run_service("ingest", IngestSettings(), build)
