"""The one file that knows everything: the notifier's loops over its parts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.clock import Clock, SystemClock
from csm_common.database.engine import service_engine
from csm_common.kafka.consumer import ExactlyOnceConsumer
from csm_common.kafka.producer import Producer
from csm_common.kafka.record import BatchHandler
from csm_common.kafka.relay import OutboxRelay
from csm_common.poller import Poller
from csm_common.runtime import Loop, run_service
from csm_common.startup import prepare
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.keys import KeyStore
from csm_common.web.probes import consumer_checks
from csm_common.web.server import HttpServer
from notifier.adapters.feed.work import feed_in
from notifier.adapters.work import work_in
from notifier.assembly import (
    Parts,
    feed_pruners,
    feed_sender,
    notification_sender,
    opened,
    pruner,
    routes,
    watcher,
)
from notifier.entrypoints.consumer import ContactsConsumer, RequestsConsumer
from notifier.entrypoints.feed_consumer import FeedConsumer
from notifier.settings import Settings

SCHEMA = "notifier"
MIGRATIONS = Path(__file__).parent / "migrations"


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[Sequence[Loop]]:
    """Open what the service needs; its loops in the order in which they are stopped."""
    clock = SystemClock()
    engine = service_engine(settings.database, SCHEMA)
    await prepare(settings.kafka, engine, schema=SCHEMA, scripts=MIGRATIONS)
    async with Producer(settings.kafka) as producer, opened(settings, engine, clock) as parts:
        relay = OutboxRelay(engine, producer)
        sender, feed = notification_sender(parts, relay.wake), feed_sender(parts)
        handlers: dict[str, BatchHandler] = {
            "contacts": ContactsConsumer(work_in),
            "requests": RequestsConsumer(work_in, clock, sender.wake),
            "health": FeedConsumer(feed_in(parts.subscriptions), clock, feed.wake),
        }
        consumers = {name: _consumer(settings, engine, each, clock, relay) for name, each in handlers.items()}
        doors = routes(parts, told=relay.wake, due=sender.wake, feed_work=feed.wake)
        web = _web(parts, consumers, doors)
        yield [
            Loop("http", HttpServer(web, settings.http).run),
            *(Loop(name, each.run) for name, each in consumers.items()),
            *(Loop(f"feed-pruning-{number}", each.run) for number, each in enumerate(feed_pruners(parts))),
            Loop("pruning", pruner(parts).run),
            Loop("gauges", watcher(parts).run),
            Loop("templates", Poller("templates", parts.templates.catalogue.refresh, interval_s=0.5).run),
            Loop("sender", sender.run),
            Loop("feed", feed.run),
            Loop("relay", relay.run),
        ]
    await engine.dispose()


def _consumer(
    settings: Settings, engine: AsyncEngine, handler: BatchHandler, clock: Clock, relay: OutboxRelay
) -> ExactlyOnceConsumer:
    return ExactlyOnceConsumer(settings.kafka, engine, handler, clock=clock, on_commit=relay.wake)


def _web(parts: Parts, consumers: dict[str, ExactlyOnceConsumer], doors: Sequence[APIRouter]) -> FastAPI:
    checks = {name: consumer_checks(each) for name, each in consumers.items()}
    return create_web_app(
        title="notifier",
        description="Delivers notification requests to the right person, once, when they may be reached.",
        authenticator=Authenticator(KeyStore(parts.engine), parts.clock),
        routers=doors,
        ready={name: ready["consumer"] for name, (ready, _) in checks.items()},
        alive={name: alive["consumer"] for name, (_, alive) in checks.items()},
    )


def main() -> None:
    """Run until SIGTERM."""
    run_service("notifier", Settings(), build)
