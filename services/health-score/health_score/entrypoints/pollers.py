"""The clock's door: every second, see whether the model has changed or a refold has ended, and have the writer take it up."""

from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.poller import Poller
from health_score.application.models import Models

_INTERVAL_S = 1.0

_SEEN = text("""
SELECT (SELECT max(number) FROM model_changes) AS change, (SELECT max(done_at) FROM refolds) AS refolded
""")


def model_poller(engine: AsyncEngine, models: Models, changed: Callable[[], None]) -> Poller:
    """The loop; `changed` is called when there is something to take up."""
    seen: list[object] = []

    async def round_() -> None:
        async with engine.connect() as connection:
            found = [*(await connection.execute(_SEEN)).one()]
            if found == seen:
                return
            await models.load(connection)
        seen[:] = found
        changed()

    return Poller("models", round_, interval_s=_INTERVAL_S)
