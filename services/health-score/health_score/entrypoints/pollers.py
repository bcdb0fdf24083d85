"""The clock's door: changes of the model are taken up, signals folded anew, and sources watched for the whole fleet."""

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from csm_common.clock import Clock
from csm_common.poller import Poller
from health_score.application.guard import Watch, guard
from health_score.application.models import Models
from health_score.application.refolding import Refolding
from health_score.domain.guard import GuardPolicy

_INTERVAL_S = 1.0
_GUARD_S = 5.0

Newest = Callable[[AsyncConnection], Awaitable[object]]
"""What is another once the model has changed or a refold has ended."""


def model_poller(engine: AsyncEngine, newest: Newest, models: Models, changed: Callable[[], None]) -> Poller:
    """Every second, see whether `newest` has changed; the models are read then, and `changed` is called."""
    seen: object = None

    async def round_() -> None:
        nonlocal seen
        async with engine.connect() as connection:
            found = await newest(connection)
            if found == seen:
                return
            await models.load(connection)
        seen = found
        changed()

    return Poller("models", round_, interval_s=_INTERVAL_S)


def refold_poller(refolding: Refolding) -> Poller:
    """Do the refolds that are asked for."""
    return Poller("refolds", refolding.round, interval_s=_INTERVAL_S)


def guard_poller(engine: AsyncEngine, watch: Watch, policy: GuardPolicy, clock: Clock) -> Poller:
    """Look after the sources."""

    async def round_() -> None:
        async with engine.begin() as tx:
            await guard(tx, watch, policy, clock)

    return Poller("guard", round_, interval_s=_GUARD_S)
