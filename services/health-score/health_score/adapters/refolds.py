"""The refolds that are asked for, each done by one process at a time, and what comes of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from health_score.adapters.state_codec import StateCodec
from health_score.application.model_ports import Refold
from health_score.domain.account import AccountState

_CHUNK = 2_000

_PENDING = text(
    "SELECT partition, model, until_offset FROM refolds WHERE done_at IS NULL ORDER BY model, partition"
)
_LOCK = text("SELECT pg_try_advisory_lock(hashtext('health_score.refold'), :partition)")
_STILL = text("SELECT done_at IS NULL FROM refolds WHERE partition = :partition AND model = :model")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtext('health_score.refold'), :partition)")
_JUDGING = text("SELECT model FROM partition_models WHERE partition = :partition")
_ACCOUNTS = text("SELECT count(*) FROM accounts WHERE partition = :partition")
_DONE = text(
    "UPDATE refolds SET done_at = now(), facts = :facts WHERE partition = :partition AND model = :model"
)

_STORE = text("""
INSERT INTO refolded (account_id, model, partition, state)
SELECT t.account_id, :model, :partition, t.state
FROM unnest(CAST(:ids AS text[]), CAST(:states AS bytea[])) AS t(account_id, state)
ON CONFLICT (account_id, model) DO UPDATE SET state = EXCLUDED.state
""")


class PostgresRefolds:
    """Refolds on PostgreSQL."""

    def __init__(self, engine: AsyncEngine, codec: StateCodec) -> None:
        self._engine = engine
        self._codec = codec

    @asynccontextmanager
    async def next(self) -> AsyncIterator[Refold | None]:
        """One that is not done, under an advisory lock of this session; a process that dies sets it free."""
        async with self._engine.connect() as connection:
            session = await connection.execution_options(isolation_level="AUTOCOMMIT")
            for row in (await session.execute(_PENDING)).all():
                mine = {"partition": row.partition}
                if not await session.scalar(_LOCK, mine):
                    continue
                try:
                    if await session.scalar(_STILL, {**mine, "model": row.model}):
                        yield Refold(row.partition, row.model, row.until_offset)
                        return
                finally:
                    await session.execute(_UNLOCK, mine)
            yield None

    async def judging(self, partition: int) -> int:
        """The number of the model that judges the partition now."""
        async with self._engine.connect() as connection:
            return int(await connection.scalar(_JUDGING, {"partition": partition}))

    async def accounts(self, partition: int) -> int:
        """How many accounts the partition has."""
        async with self._engine.connect() as connection:
            return int(await connection.scalar(_ACCOUNTS, {"partition": partition}))

    async def store(self, refold: Refold, states: Sequence[AccountState]) -> None:
        """Keep what was folded, a few thousand accounts in one transaction."""
        for first in range(0, len(states), _CHUNK):
            chunk = states[first : first + _CHUNK]
            async with self._engine.begin() as tx:
                await tx.execute(
                    _STORE,
                    {
                        "model": refold.model,
                        "partition": refold.partition,
                        "ids": [each.account_id for each in chunk],
                        "states": [self._codec.encode(each) for each in chunk],
                    },
                )

    async def done(self, refold: Refold, facts: int) -> None:
        """All of it is kept."""
        async with self._engine.begin() as tx:
            await tx.execute(_DONE, {"partition": refold.partition, "model": refold.model, "facts": facts})
