"""What a service does before it opens its door: wait for its servers, migrate its schema, make its topics."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.database.errors import is_transient
from csm_common.database.migrations import migrate
from csm_common.errors import TransientError
from csm_common.kafka.admin import ensure_topics
from csm_common.settings import KafkaSettings
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)

_PAUSE_S = 1.0


async def prepare(kafka: KafkaSettings, engine: AsyncEngine, *, schema: str, scripts: Path) -> None:
    """Migrate `schema` to the newest of `scripts` and make the registry's topics, however long the servers take to answer."""
    await until_available("PostgreSQL", lambda: migrate(engine, schema=schema, scripts=scripts))
    await until_available("Kafka", lambda: ensure_topics(kafka))


async def until_available(
    what: str, attempt: Callable[[], Awaitable[None]], *, pause_s: float = _PAUSE_S
) -> None:
    """Try until it works; a supervisor's start-up deadline is the limit. Errors that waiting cannot mend are raised."""
    while True:
        try:
            return await attempt()
        except Exception as error:
            if not (isinstance(error, TransientError) or is_transient(error)):
                raise
            log.warning(
                "waiting for a server", server=what, error=(str(error) or repr(error)).splitlines()[0]
            )
            await asyncio.sleep(pause_s)
