"""The table `accounts`: the newest snapshot of each account, as it was received, with what people look for in columns."""

from collections.abc import Collection, Mapping, Sequence

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.contracts.health import AccountSnapshot
from playbooks.application.model import ReceivedSnapshot, Unsettled

_SAVE = text("""
INSERT INTO accounts (account_id, revision, score, band, evaluated_at, snapshot)
SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:revisions AS bigint[]), CAST(:scores AS float8[]), CAST(:bands AS text[]),
    CAST(:evaluated AS timestamptz[]), CAST(:snapshots AS bytea[]))
ON CONFLICT (account_id) DO UPDATE SET revision = EXCLUDED.revision, score = EXCLUDED.score, band = EXCLUDED.band,
    evaluated_at = EXCLUDED.evaluated_at, snapshot = EXCLUDED.snapshot
WHERE accounts.revision < EXCLUDED.revision
""")

_REMOVE = text("DELETE FROM accounts WHERE account_id = ANY(CAST(:ids AS text[]))")

_NEWEST = text("SELECT account_id, snapshot FROM accounts WHERE account_id = ANY(CAST(:ids AS text[]))")

# Taken by a look at a run, against the write of a snapshot.
_SETTLE = text("""
SELECT account_id FROM accounts WHERE account_id = ANY(CAST(:ids AS text[])) ORDER BY account_id FOR SHARE SKIP LOCKED
""")

_KNOWN = text("SELECT account_id FROM accounts WHERE account_id = ANY(CAST(:ids AS text[]))")

_decoder = msgspec.json.Decoder(AccountSnapshot)


class PostgresAccounts:
    """Implements ports.Accounts."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def save(self, received: Sequence[ReceivedSnapshot]) -> None:
        """Keep those whose revision is newer than the one known; at most one an account."""
        if not received:
            return
        snapshots = [each.snapshot for each in received]
        await self._tx.execute(
            _SAVE,
            {
                "ids": [each.account_id for each in snapshots],
                "revisions": [each.revision for each in snapshots],
                "scores": [each.score for each in snapshots],
                "bands": [each.band for each in snapshots],
                "evaluated": [each.evaluated_at for each in snapshots],
                "snapshots": [each.data for each in received],
            },
        )

    async def remove(self, account_ids: Collection[str]) -> None:
        """Forget accounts that are gone."""
        if account_ids:
            await self._tx.execute(_REMOVE, {"ids": list(account_ids)})

    async def newest(self, account_ids: Collection[str]) -> Mapping[str, AccountSnapshot]:
        """The snapshots of those that are known."""
        if not account_ids:
            return {}
        rows = await self._tx.execute(_NEWEST, {"ids": list(account_ids)})
        return {row.account_id: _decoder.decode(row.snapshot) for row in rows}

    async def unsettled(self, account_ids: Collection[str]) -> Unsettled:
        """Those of which news may be on its way. News of the others waits until the transaction ends."""
        ids = {"ids": list(account_ids)}
        settled = set(await self._tx.scalars(_SETTLE, ids))
        if len(settled) == len(account_ids):
            return Unsettled()
        known = set(await self._tx.scalars(_KNOWN, ids))
        return Unsettled(
            changing=frozenset(known - settled), unknown=frozenset(account_ids) - known - settled
        )
