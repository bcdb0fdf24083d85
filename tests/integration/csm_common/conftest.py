"""The kernel's tables in a service's schema, and a consumer that writes down what it reads."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.brokers import Broker
from tests.support.consuming import WritingHandler, create_tables
from tests.support.postgres import Database

from csm_common.clock import SystemClock
from csm_common.kafka.consumer import ExactlyOnceConsumer
from csm_common.settings import KafkaSettings

BuildConsumer = Callable[..., ExactlyOnceConsumer]


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    """A service's engine, its schema with the kernel's tables."""
    async with database.engine("ingest") as engine:
        await create_tables(engine)
        yield engine


@pytest.fixture
def settings(broker: Broker) -> KafkaSettings:
    """The broker's settings with short pauses."""
    return broker.settings.model_copy(update={"retry_backoff_s": (0.05,)})


@pytest.fixture
def consumer(settings: KafkaSettings, engine: AsyncEngine) -> BuildConsumer:
    """Builds a consumer: `consumer(handler, dead_letter_run=3)`; keywords other than clock and on_commit are settings."""

    def build(handler: WritingHandler, **changes: Any) -> ExactlyOnceConsumer:
        edges = {name: changes.pop(name) for name in ("clock", "on_commit") if name in changes}
        return ExactlyOnceConsumer(
            settings.model_copy(update=changes), engine, handler, **{"clock": SystemClock(), **edges}
        )

    return build
