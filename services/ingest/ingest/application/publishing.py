"""Onto the log, or an error: nobody is told that an event is durable before the brokers have acknowledged it."""

from collections.abc import Sequence

from csm_common.database.outbox import Message
from csm_common.errors import TransientError
from csm_common.telemetry.logs import get_logger
from ingest.application.ports import Publisher

log = get_logger(__name__)


async def publish(publisher: Publisher, messages: Sequence[Message]) -> None:
    """All of them are durable, or TransientError."""
    failures = [reason for reason in await publisher.send(messages) if reason is not None]
    if failures:
        log.warning("not acknowledged", failed=len(failures), of=len(messages), reason=failures[0])
        raise TransientError(
            "The brokers did not acknowledge in time. Send the same events again, with the same ids: none counts twice.",
            code="brokers_unavailable",
            retry_after=2.0,
        )
