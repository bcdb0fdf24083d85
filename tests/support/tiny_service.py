"""A service with one loop, for tests of the runtime. Run as `python -m tests.support.tiny_service MODE`.

MODE says what its loop does: `serve` until told to stop, `fatal` or `bug` dies at once.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from csm_common.errors import FatalError
from csm_common.runtime import Loop, run_service
from csm_common.settings import DatabaseSettings, KafkaSettings, ServiceSettings
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)


@asynccontextmanager
async def build(_: ServiceSettings) -> AsyncIterator[Sequence[Loop]]:
    """One loop, and a line in the log when all is closed."""
    yield [Loop("only", loop)]
    log.info("closed")


async def loop(stop: asyncio.Event) -> None:
    """What MODE says."""
    match sys.argv[1]:
        case "serve":
            await stop.wait()
        case "fatal":
            raise FatalError("The position lies outside the log.", code="position_lost")
        case _:
            raise ZeroDivisionError("an unexpected thing")


if __name__ == "__main__":
    nowhere = "postgresql://nobody:secret@127.0.0.1:1/csm"
    settings = ServiceSettings(
        database=DatabaseSettings.model_validate({"dsn": nowhere}),
        kafka=KafkaSettings(bootstrap="127.0.0.1:1"),
    )
    run_service("tiny", settings, build)
