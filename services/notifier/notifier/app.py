"""The one file that knows everything: the notifier put together from its parts."""

import os
import random
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.clock import Clock, SystemClock
from csm_common.database.engine import service_engine
from csm_common.kafka.consumer import ExactlyOnceConsumer
from csm_common.kafka.producer import Producer
from csm_common.kafka.record import BatchHandler
from csm_common.kafka.relay import OutboxRelay
from csm_common.runtime import Loop, run_service
from csm_common.startup import prepare
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.keys import KeyStore
from csm_common.web.probes import consumer_checks
from csm_common.web.server import HttpServer
from notifier.adapters.channels.all import channels_of, tls_of
from notifier.adapters.outbound import Outbound
from notifier.adapters.smtp_connections import SmtpConnections
from notifier.adapters.templates import Templates
from notifier.adapters.work import work_in, work_on
from notifier.application.handlers.delivery import Delivery
from notifier.entrypoints.api import notification_routes
from notifier.entrypoints.consumer import ContactsConsumer, RequestsConsumer
from notifier.entrypoints.pollers import Sender
from notifier.settings import Settings

SCHEMA = "notifier"


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[Sequence[Loop]]:
    """Open what the service needs; its loops in the order in which they are stopped."""
    clock = SystemClock()
    smtp = SmtpConnections(settings.smtp)
    outbound = Outbound(settings.notifier.addresses, tls=tls_of(settings.notifier), clock=clock)
    channels = channels_of(settings, outbound, smtp)
    owner = f"{socket.gethostname()}/{os.getpid()}"
    delivery = Delivery(Templates(), channels, settings.notifier.policy, clock, owner, random.random)
    engine = service_engine(settings.database, SCHEMA)
    await prepare(settings.kafka, engine, schema=SCHEMA, scripts=Path(__file__).parent / "migrations")
    async with Producer(settings.kafka) as producer:
        relay = OutboxRelay(engine, producer)
        sender = Sender(
            delivery,
            work_on(engine),
            channels.values(),
            clock,
            concurrency=settings.notifier.concurrency,
            interval_s=settings.notifier.interval_s,
            grace=timedelta(seconds=settings.drain_timeout_s / 2),
            on_commit=relay.wake,
        )
        contacts = _consumer(settings, engine, ContactsConsumer(work_in), clock, relay)
        requests = _consumer(settings, engine, RequestsConsumer(work_in, clock, sender.wake), clock, relay)
        yield [
            Loop("http", HttpServer(_web(engine, clock, contacts, requests), settings.http).run),
            Loop("contacts", contacts.run),
            Loop("requests", requests.run),
            Loop("sender", sender.run),
            Loop("relay", relay.run),
        ]
    smtp.close()
    await outbound.close()
    await engine.dispose()


def _consumer(
    settings: Settings, engine: AsyncEngine, handler: BatchHandler, clock: Clock, relay: OutboxRelay
) -> ExactlyOnceConsumer:
    return ExactlyOnceConsumer(settings.kafka, engine, handler, clock=clock, on_commit=relay.wake)


def _web(
    engine: AsyncEngine, clock: Clock, contacts: ExactlyOnceConsumer, requests: ExactlyOnceConsumer
) -> FastAPI:
    contacts_ready, contacts_alive = consumer_checks(contacts)
    requests_ready, requests_alive = consumer_checks(requests)
    return create_web_app(
        title="notifier",
        description="Delivers notification requests to the right person, once.",
        authenticator=Authenticator(KeyStore(engine), clock),
        routers=[notification_routes(work_on(engine))],
        ready={"contacts": contacts_ready["consumer"], "requests": requests_ready["consumer"]},
        alive={"contacts": contacts_alive["consumer"], "requests": requests_alive["consumer"]},
    )


def main() -> None:
    """Run until SIGTERM."""
    run_service("notifier", Settings(), build)
