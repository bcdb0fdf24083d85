"""What is kept of the accounts, read at one instant and put right: for the rebuild, which runs while or without the service."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.errors import ConflictError
from health_score.adapters.accounts import PostgresAccounts
from health_score.adapters.state_codec import StateCodec
from health_score.application.models import Models
from health_score.application.ports import AccountRow
from health_score.application.rebuilding import Digests, Kept, digests
from health_score.domain.account import AccountState, begun_behind

_PARTITIONS = text(
    "SELECT partition FROM positions WHERE consumer = 'health-score' AND topic = 'customer.events.v1' ORDER BY partition"
)
_POSITION = text("""
SELECT p.next_offset, m.model,
    EXISTS (SELECT FROM refolds r WHERE r.partition = p.partition AND r.done_at IS NULL)
    OR EXISTS (SELECT FROM accounts a WHERE a.partition = p.partition AND a.model < m.model) AS busy
FROM positions p LEFT JOIN partition_models m ON m.partition = p.partition
WHERE p.consumer = 'health-score' AND p.topic = 'customer.events.v1' AND p.partition = :partition
""")
_STATES = text("SELECT state FROM accounts WHERE partition = :partition")

# Locking the row keeps a service that runs out; the new epoch refuses what it still has in hand.
_TAKE = text("""
UPDATE positions SET epoch = epoch + 1, owner = 'rebuild', updated_at = now()
WHERE consumer = 'health-score' AND topic = 'customer.events.v1' AND partition = :partition AND next_offset = :position
""")


class PostgresKeptStates:
    """KeptStates on PostgreSQL."""

    def __init__(self, engine: AsyncEngine, codec: StateCodec, models: Models) -> None:
        self._engine = engine
        self._codec = codec
        self._models = models
        self._accounts = PostgresAccounts(codec)

    async def partitions(self) -> list[int]:
        """Those that have a position."""
        async with self._engine.connect() as connection:
            return list((await connection.execute(_PARTITIONS)).scalars())

    async def read(self, partition: int) -> Kept:
        """Position, model and digests as of one instant."""
        found: dict[str, Digests] = {}
        async with self._engine.connect() as connection:
            tx = await connection.execution_options(isolation_level="REPEATABLE READ")
            await self._models.load(tx)
            row = (await tx.execute(_POSITION, {"partition": partition})).one()
            if row.busy or row.model is None:
                raise ConflictError(
                    f"Partition {partition} is taking up another model: try again when `csm scorecards` shows no account behind."
                )
            async with tx.stream(_STATES, {"partition": partition}) as states:
                async for stored in states.scalars():
                    state = self._codec.decode(stored)
                    found[state.account_id] = digests(state)
        return Kept(row.next_offset, self._models.at(row.model), found)

    async def write(self, partition: int, position: int, states: Sequence[AccountState]) -> None:
        """Put rebuilt states in the place of the kept ones, to be looked at again at once."""
        async with self._engine.begin() as tx:
            taken = await tx.execute(_TAKE, {"partition": partition, "position": position})
            if taken.rowcount == 0:
                raise ConflictError(
                    f"Partition {partition} has moved on from {position}: stop health-score before you rebuild with --write."
                )
            ids = [each.account_id for each in states]
            kept = await self._accounts.load(tx, ids)
            told = {row.account_id: row.revision for row in await tx.execute(_REVISIONS, {"ids": ids})}
            rows = [
                _row(each, kept.get(each.account_id), told.get(each.account_id, 0), partition)
                for each in states
            ]
            await self._accounts.save(tx, rows)
            await tx.execute(_DUE_NOW, {"ids": ids})


_REVISIONS = text("""
SELECT account_id, max(revision) AS revision FROM history WHERE account_id = ANY(CAST(:ids AS text[])) GROUP BY account_id
""")
_DUE_NOW = text("UPDATE accounts SET due_at = now() WHERE account_id = ANY(CAST(:ids AS text[]))")


def _row(rebuilt: AccountState, kept: AccountState | None, told: int, partition: int) -> AccountRow:
    """The facts' part as the log says, the rest as it was; one that was lost begins behind `told`, its last revision."""
    state = kept or begun_behind(rebuilt.account_id, told)
    state.attributes, state.attribute_stamps = rebuilt.attributes, rebuilt.attribute_stamps
    state.attributes_changed = True
    state.signals, state.trails, state.override = rebuilt.signals, rebuilt.trails, rebuilt.override
    state.folded, state.last_event_time = rebuilt.folded, rebuilt.last_event_time
    return AccountRow(state, partition, None, None, attributes_changed=True)
