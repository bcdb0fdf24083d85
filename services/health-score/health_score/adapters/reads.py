"""What the REST API reads: stored snapshots and states, and the counts. Any replica answers for any account."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from health_score.adapters.state_codec import StateCodec
from health_score.adapters.visible import PostgresSight
from health_score.application.ports import Stats
from health_score.domain.account import AccountState

_SNAPSHOT = text("SELECT snapshot FROM accounts WHERE account_id = :id")
_STATE = text("SELECT state FROM accounts WHERE account_id = :id")

_STATS = text("""
SELECT coalesce(sum(folded), 0)::bigint AS folded, coalesce(sum(outcomes), 0)::bigint AS outcomes,
    coalesce(sum(repeated), 0)::bigint AS repeated,
    coalesce(sum(conflicting), 0)::bigint AS conflicting, coalesce(sum(undecodable), 0)::bigint AS undecodable,
    (SELECT count(*) FROM accounts) AS accounts,
    (SELECT coalesce(sum(records), 0)::bigint FROM positions WHERE consumer = 'health-score') AS consumed,
    (SELECT coalesce(sum(dead_letters), 0)::bigint FROM positions WHERE consumer = 'health-score') AS dead_lettered
FROM intake
""")


class PostgresReads(PostgresSight):
    """AccountReads on PostgreSQL, each query in a connection of its own."""

    def __init__(self, engine: AsyncEngine, codec: StateCodec) -> None:
        super().__init__(engine)
        self._codec = codec

    async def snapshot(self, account_id: str) -> bytes | None:
        """The account's snapshot (JSON)."""
        async with self._engine.connect() as connection:
            found: bytes | None = await connection.scalar(_SNAPSHOT, {"id": account_id})
            return found

    async def state(self, account_id: str) -> AccountState | None:
        """The account's state."""
        async with self._engine.connect() as connection:
            found: bytes | None = await connection.scalar(_STATE, {"id": account_id})
        return None if found is None else self._codec.decode(found)

    async def stats(self) -> Stats:
        """What became of all records so far."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_STATS)).one()
        return Stats(**row._mapping)
