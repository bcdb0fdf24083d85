"""One worker of the playbooks engine, without Kafka: the tickers of runs and calls on PostgreSQL, which may be killed any time.

Started by `multiprocessing`, so `work` is given plain data.
"""

import asyncio
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection

import msgspec
from tests.support.fast_clock import FastClock

from csm_common.database.engine import service_engine
from csm_common.settings import DatabaseSettings, TelemetrySettings
from csm_common.telemetry.logs import setup_logs
from playbooks.adapters.postgres.playbooks import PlaybookCache
from playbooks.adapters.postgres.store import PostgresTransactions
from playbooks.adapters.webhooks import open_endpoints
from playbooks.assembly import rules_of
from playbooks.entrypoints.pollers import CallTicker, RunTicker
from playbooks.settings import EndpointSettings, PlaybookSettings

SCHEMA = "playbooks"
MANY_TRIES = (0.5,) * 60
"""So that no run fails of the deaths of others."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is told. `url` is that of the endpoint crm, signed with `secret`."""

    dsn: str
    url: str
    secret: str
    begun_s: float
    rate: float
    batch: int


def work(orders: bytes, ready: Connection) -> None:
    """Take runs on until SIGTERM; `orders` are Orders as JSON. Says that it is `ready` once its loops are about to run."""
    setup_logs("playbooks", TelemetrySettings())
    asyncio.run(_work(msgspec.json.decode(orders, type=Orders), ready))


async def _work(orders: Orders, ready: Connection) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    crm = EndpointSettings.model_validate({"url": orders.url, "secret": orders.secret})
    settings = PlaybookSettings(
        endpoints={"crm": crm}, step_retry_s=MANY_TRIES, step_batch=orders.batch, look_every_s=0.1
    )
    engine = service_engine(DatabaseSettings.model_validate({"dsn": orders.dsn}), SCHEMA)
    transactions = PostgresTransactions(engine, PlaybookCache())
    clock = FastClock(orders.begun_s, orders.rate)
    rules = rules_of(settings)
    async with open_endpoints(settings.endpoints) as endpoints:
        calls = CallTicker(
            transactions,
            endpoints,
            clock,
            rules,
            look_every_s=settings.look_every_s,
            on_done=lambda: ticker.wake(),
        )
        ticker = RunTicker(
            transactions,
            clock,
            rules,
            workers=2,
            limit=settings.step_batch,
            look_every_s=settings.look_every_s,
            on_commit=calls.wake,
        )
        async with engine.connect():
            ready.send(True)
        await asyncio.gather(ticker.run(stop), calls.run(stop))
    await engine.dispose()
