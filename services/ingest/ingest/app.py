"""The one file that knows everything: ingest put together from its parts."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from csm_common.clock import SystemClock
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
from ingest.adapters.configuration import load
from ingest.adapters.postgres.erasure import PostgresArchive
from ingest.adapters.postgres.imports import PostgresImports
from ingest.adapters.postgres.pruning import PostgresPruning
from ingest.adapters.postgres.rejection_lists import PostgresRejectionLists
from ingest.adapters.postgres.sources import PostgresSources
from ingest.adapters.postgres.store import PostgresStore, work_in
from ingest.adapters.watch import Run, Watch, after
from ingest.application.handlers import Reads
from ingest.application.sources import SourceTally
from ingest.application.webhooks.connections import connect
from ingest.assembly import Parts, create_handlers
from ingest.entrypoints.consumer import DeadLettersConsumer
from ingest.entrypoints.http import create_app
from ingest.entrypoints.pollers import SourceFlush, prune_poller, rejections_poller
from ingest.settings import IngestSettings

SCHEMA = "ingest"
MIGRATIONS = Path(__file__).parent / "migrations"


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
