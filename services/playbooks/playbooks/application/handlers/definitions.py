"""At the start: what is shipped is put in force, as new versions where the content is new."""

from collections.abc import Sequence

from csm_common.clock import Clock
from csm_common.telemetry.logs import get_logger
from playbooks.application.model import Audited
from playbooks.application.ports import Transactions
from playbooks.domain.definition import Definition

log = get_logger(__name__)


async def publish(transactions: Transactions, definitions: Sequence[Definition], clock: Clock) -> None:
    """Put the shipped definitions in force. Runs of other versions go on as they began."""
    now = clock.now()
    async with transactions.begin() as store:
        before = {each.name: each.version for each in await store.playbooks.active()}
        versions = await store.playbooks.ship(definitions, now)
        await store.audit.add(
            [
                Audited(
                    at=now, actor="system", action="activated", subject=f"playbook:{name}",
                    detail={"version": version, "before": before.get(name), "note": "shipped"},
                )
                for name, version in versions
                if before.get(name) != version
            ]
        )  # fmt: skip
    log.info("playbooks active", playbooks=[f"{name} v{version}" for name, version in versions])
