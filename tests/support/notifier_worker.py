"""One sender of the notifier, without Kafka: due notifications on PostgreSQL to a mail server and an endpoint, on a fast clock.
It may be killed any time.

Started by `multiprocessing`, so `work` is given plain data.
"""

import asyncio
import random
import signal
from dataclasses import dataclass, field
from datetime import time, timedelta
from multiprocessing.connection import Connection

import msgspec
from tests.support.fast_clock import FastClock
from tests.unit.notifier.fakes import FixedRenderer, NoLinks

from csm_common.database.engine import service_engine
from csm_common.settings import DatabaseSettings, TelemetrySettings
from csm_common.telemetry.logs import setup_logs
from notifier.adapters.channels.all import channels_of
from notifier.adapters.outbound import Outbound
from notifier.adapters.smtp_connections import SmtpConnections
from notifier.adapters.work import work_on
from notifier.application.delivery_rules import DeliveryRules
from notifier.application.handlers.delivery import Delivery
from notifier.application.lanes import Lanes
from notifier.domain.breakers import BreakerRules
from notifier.domain.caps import Cap, Reserved
from notifier.domain.policy import ClassRules, ContactPolicy
from notifier.domain.quiet_hours import QuietHours
from notifier.domain.retries import RetrySchedule
from notifier.entrypoints.pollers import Sender
from notifier.settings import Settings

SCHEMA = "notifier"
LEASE = timedelta(minutes=5)
MANY_TRIES = RetrySchedule((timedelta(seconds=20),) * 200)
"""So that no message fails of the deaths of others."""

MARGIN = timedelta(minutes=5)
POLICY = ContactPolicy(
    classes={
        "internal": ClassRules(),
        "transactional": ClassRules(),
        "marketing": ClassRules(consent="opt_out", unsubscriptions=True, caps=True, quiet_hours=True),
    },
    caps=(
        Cap("person", 2, timedelta(minutes=30), Reserved(priority=50, slots=1)),
        Cap("account", 5, timedelta(minutes=20)),
    ),
    quiet_hours=QuietHours(time(9, 30), time(10, 0), margin=MARGIN),
)


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is told. `url` is that of the endpoint crm, signed with `secret`; `smtp_port` the mail server's."""

    dsn: str
    url: str
    secret: str
    smtp_port: int
    begun_s: float
    rate: float
    owner: str = "sender"
    allowed: list[str] = field(default_factory=lambda: ["127.0.0.0/8"])


def person_of(address: str) -> str:
    """A pseudonym that a test can read."""
    return f"person:{address}"


def work(orders: bytes, ready: Connection) -> None:
    """Send until SIGTERM; `orders` are Orders as JSON. Says that it is `ready` once it is about to begin."""
    setup_logs("notifier", TelemetrySettings())
    asyncio.run(_work(msgspec.json.decode(orders, type=Orders), ready))


async def _work(orders: Orders, ready: Connection) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = settings_of(orders)
    clock = FastClock(orders.begun_s, orders.rate)
    engine = service_engine(settings.database, SCHEMA)
    smtp = SmtpConnections(settings.smtp)
    async with Outbound(settings.notifier.addresses) as outbound:
        channels = channels_of(settings, outbound, smtp)
        delivery = Delivery(
            FixedRenderer(),
            NoLinks(),
            channels,
            DeliveryRules(retries=MANY_TRIES, lease=LEASE, contact_policy=POLICY),
            Lanes(BreakerRules(failures=1000)),
            person_of,
            clock,
            orders.owner,
            random.random,
        )
        sender = Sender(
            delivery,
            work_on(engine),
            lambda: None,
            clock,
            concurrency=64,
            interval_s=0.2,
            lease=LEASE,
            grace=timedelta(seconds=1),
        )
        async with engine.connect():
            ready.send(True)
        await sender.run(stop)
    smtp.close()
    await engine.dispose()


def settings_of(orders: Orders) -> Settings:
    """As the environment would have them."""
    crm = {"kind": "webhook", "url": orders.url, "secrets": [orders.secret]}
    return Settings.model_validate(
        {
            "database": DatabaseSettings.model_validate({"dsn": orders.dsn}),
            "kafka": {"bootstrap": "127.0.0.1:1"},
            "smtp": {"host": "127.0.0.1", "port": orders.smtp_port, "sender": "cs@vendor.example"},
            "notifier": {"endpoints": {"crm": crm}, "allowed_networks": orders.allowed},
        }
    )
