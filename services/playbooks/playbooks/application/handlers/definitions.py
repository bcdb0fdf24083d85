"""At the start: what is shipped becomes what is active, as new versions where the content is new."""

from collections.abc import Sequence

from csm_common.clock import Clock
from csm_common.telemetry.logs import get_logger
from playbooks.application.ports import Transactions
from playbooks.domain.definition import Definition

log = get_logger(__name__)


async def publish(transactions: Transactions, definitions: Sequence[Definition], clock: Clock) -> None:
    """Put the shipped definitions in force. Runs of other versions go on as they began."""
    async with transactions.begin() as store:
        versions = await store.playbooks.ship(definitions, clock.now())
    log.info("playbooks active", playbooks=[f"{name} v{version}" for name, version in versions])
