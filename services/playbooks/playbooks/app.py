"""The one file that knows everything: playbooks put together from its parts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from csm_common.clock import SystemClock
from csm_common.database.engine import service_engine
from csm_common.kafka.producer import Producer
from csm_common.kafka.relay import OutboxRelay
from csm_common.runtime import Loop, run_service
from csm_common.startup import prepare
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.keys import KeyStore
from csm_common.web.probes import consumer_checks
from csm_common.web.server import HttpServer
from playbooks.adapters.definitions import load_directory
from playbooks.adapters.postgres.playbooks import PlaybookCache
from playbooks.adapters.postgres.store import PostgresTransactions
from playbooks.adapters.webhooks import open_endpoints
from playbooks.application.handlers.definitions import publish
from playbooks.assembly import Parts, engine_of, routers_of
from playbooks.settings import PlaybooksSettings

SCHEMA = "playbooks"
MIGRATIONS = Path(__file__).parent / "migrations"


@asynccontextmanager
async def build(settings: PlaybooksSettings) -> AsyncIterator[Sequence[Loop]]:
    """Open what the service needs; its loops in the order in which they are stopped."""
    definitions = load_directory(settings.playbooks.definitions)
    clock = SystemClock()
    cache = PlaybookCache()
    # A plan made once for any array of ids reads the whole index of what is due: ten times as slow as one made for these ids.
    engine = service_engine(settings.database, SCHEMA, plan_cache_mode="force_custom_plan")
    transactions = PostgresTransactions(engine, cache)
    await prepare(settings.kafka, engine, schema=SCHEMA, scripts=MIGRATIONS)
    await publish(transactions, definitions, clock)
    async with (
        Producer(settings.kafka) as producer,
        open_endpoints(settings.playbooks.endpoints) as endpoints,
    ):
        relay = OutboxRelay(engine, producer)
        parts = Parts(settings.playbooks, engine, cache, transactions, endpoints, clock)
        made = engine_of(parts, settings.kafka, relay)
        ready, alive = consumer_checks(made.consumer)
        app = create_web_app(
            title="playbooks",
            description="Turns crossings into durable playbook runs, tasks and notification requests.",
            authenticator=Authenticator(KeyStore(engine), clock),
            routers=routers_of(parts, made.ticker, relay),
            ready=ready,
            alive=alive,
        )
        yield [Loop("http", HttpServer(app, settings.http).run), *made.loops, Loop("outbox", relay.run)]
    await engine.dispose()


def main() -> None:
    """Run until SIGTERM."""
    run_service("playbooks", PlaybooksSettings(), build)
