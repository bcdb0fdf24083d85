"""The one file that knows everything: health-score put together from its parts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from csm_common.clock import SystemClock
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
from health_score.assembly import create_parts
from health_score.entrypoints.api import create_router
from health_score.entrypoints.pollers import model_poller
from health_score.settings import HealthScoreSettings

SCHEMA = "health_score"


@asynccontextmanager
async def build(settings: HealthScoreSettings) -> AsyncIterator[Sequence[Loop]]:
    """Open what the service needs; its loops in the order in which they are stopped."""
    clock = SystemClock()
    engine = service_engine(settings.database, SCHEMA)
    await prepare(settings.kafka, engine, schema=SCHEMA, scripts=Path(__file__).parent / "migrations")
    parts = create_parts(engine)
    await parts.ship(clock.now())
    async with Producer(settings.kafka) as producer:
        relay = OutboxRelay(engine, producer)
        handler = parts.handler(settings.health, clock)
        consumer = ExactlyOnceConsumer(settings.kafka, engine, handler, clock=clock, on_commit=relay.wake)
        ready, alive = consumer_checks(consumer)
        app = create_web_app(
            title="health-score",
            description="Keeps a health score per account, always explained, and announces threshold crossings.",
            authenticator=Authenticator(KeyStore(engine), clock),
            routers=[create_router(parts.reads, parts.models, clock)],
            ready=ready,
            alive=alive,
        )
        yield [
            Loop("http", HttpServer(app, settings.http).run),
            Loop("consumer", consumer.run),
            Loop("models", model_poller(engine, parts.models, parts.duties.look_out).run),
            Loop("relay", relay.run),
        ]
    await engine.dispose()


def main() -> None:
    """Run until SIGTERM."""
    run_service("health-score", HealthScoreSettings(), build)
