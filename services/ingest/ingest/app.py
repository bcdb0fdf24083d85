"""The one file that knows everything: ingest put together from its parts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from csm_common.clock import Clock, SystemClock
from csm_common.contracts.topics import TOPICS
from csm_common.database.engine import service_engine
from csm_common.kafka.admin import TopicAdmin
from csm_common.kafka.producer import Producer
from csm_common.runtime import Loop, run_service
from csm_common.web.auth import Authenticator, KeySource
from csm_common.web.factory import create_web_app
from csm_common.web.keys import KeyStore
from csm_common.web.probes import Check
from csm_common.web.server import HttpServer
from ingest.adapters.watch import Watch
from ingest.application.accept_events import AcceptEvents
from ingest.application.budget import Budget
from ingest.application.ports import Publisher
from ingest.entrypoints.api import PATH, EventsEndpoint, HotRoute
from ingest.entrypoints.bodies import Bodies
from ingest.entrypoints.openapi import document_events
from ingest.settings import IngestSettings

SCHEMA = "ingest"


def create_app(
    settings: IngestSettings, *, publisher: Publisher, keys: KeySource, clock: Clock, ready: dict[str, Check]
) -> ASGIApp:
    """The HTTP app over whatever publishes and keeps keys."""
    authenticator = Authenticator(keys, clock)
    bodies = Bodies(limit=settings.http.max_body_bytes, deadline_s=settings.ingest.body_deadline_s)
    budget = Budget(settings.ingest.max_bytes_in_flight)
    app = create_web_app(
        title="ingest",
        description="Takes facts about customers, and answers once they are durable.",
        authenticator=authenticator,
        routers=[],
        ready=ready,
        alive={},
    )
    document_events(app)
    return HotRoute(app, PATH, EventsEndpoint(AcceptEvents(publisher, clock), bodies, budget, authenticator))


@asynccontextmanager
async def build(settings: IngestSettings) -> AsyncIterator[Sequence[Loop]]:
    """Open what the service needs; its loops in the order in which they are stopped."""
    engine = service_engine(settings.database, SCHEMA)
    keys = KeyStore(engine)
    admin = TopicAdmin(settings.kafka)
    topics = [each for each in TOPICS if "ingest" in each.producers]
    brokers = Watch("Kafka", lambda: admin.ensure_topics(topics), every_s=10.0)
    database = Watch("The table of API keys", lambda: keys.load("readiness"))
    async with Producer(settings.kafka, deadline_s=settings.ingest.broker_deadline_s) as producer:
        ready: dict[str, Check] = {"brokers": brokers.problem, "keys": database.problem}
        app = create_app(settings, publisher=producer, keys=keys, clock=SystemClock(), ready=ready)
        yield [
            Loop("http", HttpServer(app, settings.http).run),
            Loop("brokers", brokers.run),
            Loop("keys", database.run),
        ]
    await engine.dispose()


def main() -> None:
    """Run until SIGTERM."""
    run_service("ingest", IngestSettings(), build)
