"""The accounts table: one upsert a batch, states as bytes beside the few columns that lists and timers need.

Attributes have a table of their own to be searched by, written only when they change.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.adapters.state_codec import StateCodec
from health_score.application.ports import AccountRow
from health_score.domain.account import AccountState, begun_behind
from health_score.domain.signals.until import moment

_LOAD = text("SELECT state FROM accounts WHERE account_id = ANY(CAST(:ids AS text[]))")

_LOAD_ERASED = text("SELECT account_id, revision FROM erased WHERE account_id = ANY(CAST(:ids AS text[]))")

_ERASE = text("""
WITH asked AS (SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:offsets AS bigint[])) AS t(account_id, at_offset)),
gone AS (DELETE FROM accounts USING asked WHERE accounts.account_id = asked.account_id
    RETURNING accounts.account_id, revision),
marked AS (
    INSERT INTO erased (account_id, revision, at_offset)
    SELECT account_id, coalesce(gone.revision, 1), at_offset FROM asked LEFT JOIN gone USING (account_id)
    ON CONFLICT (account_id) DO UPDATE SET revision = greatest(erased.revision, EXCLUDED.revision),
        at_offset = EXCLUDED.at_offset, xact = EXCLUDED.xact
)
SELECT count(*) FROM gone
""")

_ERASE_ATTRIBUTES = text("DELETE FROM account_attributes WHERE account_id = ANY(CAST(:ids AS text[]))")

_SAVE = text("""
INSERT INTO accounts (account_id, partition, revision, state, snapshot, score, band, coverage, due_at, model, missing,
    scorecard, overridden, updated_at)
SELECT t.*, now()
FROM unnest(CAST(:ids AS text[]), CAST(:partitions AS int[]), CAST(:revisions AS bigint[]), CAST(:states AS bytea[]),
    CAST(:snapshots AS bytea[]), CAST(:scores AS float8[]), CAST(:bands AS text[]), CAST(:coverages AS float8[]),
    CAST(:dues AS timestamptz[]), CAST(:models AS int[]), CAST(:missing AS text[]),
    CAST(:scorecards AS text[]), CAST(:overridden AS bool[])) AS t
ON CONFLICT (account_id) DO UPDATE SET
    partition = EXCLUDED.partition, revision = EXCLUDED.revision, state = EXCLUDED.state,
    snapshot = coalesce(EXCLUDED.snapshot, accounts.snapshot),
    score = EXCLUDED.score, band = EXCLUDED.band, coverage = EXCLUDED.coverage, due_at = EXCLUDED.due_at,
    model = EXCLUDED.model, missing = EXCLUDED.missing, scorecard = EXCLUDED.scorecard, overridden = EXCLUDED.overridden,
    updated_at = EXCLUDED.updated_at
""")

_SAVE_ATTRIBUTES = text("""
INSERT INTO account_attributes (account_id, name, plan, segment, owner, team, renewal_date, attributes)
SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:names AS text[]), CAST(:plans AS text[]), CAST(:segments AS text[]),
    CAST(:owners AS text[]), CAST(:teams AS text[]), CAST(:renewals AS date[]), CAST(:attributes AS jsonb[]))
ON CONFLICT (account_id) DO UPDATE SET
    name = EXCLUDED.name, plan = EXCLUDED.plan, segment = EXCLUDED.segment, owner = EXCLUDED.owner, team = EXCLUDED.team,
    renewal_date = EXCLUDED.renewal_date, attributes = EXCLUDED.attributes, xact = EXCLUDED.xact
""")

_BEHIND = text("SELECT account_id FROM accounts WHERE partition = :partition AND model < :model LIMIT :limit")

_DUE = text("""
SELECT account_id, partition, due_at FROM accounts
WHERE partition = ANY(CAST(:partitions AS int[])) AND due_at <= :now
ORDER BY due_at LIMIT :limit
""")

_NEXT_DUE = text(
    "SELECT min(due_at) FROM accounts WHERE partition = ANY(CAST(:partitions AS int[])) AND due_at IS NOT NULL"
)

_LONGEST = 300
"""Letters of a text that is searched by: an entry of a btree has 2,700 bytes at most."""

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class PostgresAccounts:
    """AccountRepository on PostgreSQL."""

    def __init__(self, codec: StateCodec) -> None:
        self._codec = codec

    async def load(self, tx: AsyncConnection, account_ids: Collection[str]) -> dict[str, AccountState]:
        """The states of those of the accounts that are known, erased ones as they begin."""
        rows = await tx.execute(_LOAD, {"ids": list(account_ids)})
        states = [self._codec.decode(row.state) for row in rows]
        found = {state.account_id: state for state in states}
        if missing := [each for each in account_ids if each not in found]:
            for row in await tx.execute(_LOAD_ERASED, {"ids": missing}):
                found[row.account_id] = begun_behind(row.account_id, row.revision)
        return found

    async def erase(self, tx: AsyncConnection, offsets: Mapping[str, int]) -> int:
        """Delete all that is kept of the accounts but their last revisions; how many there were.

        Of those never stored it is kept that they are erased, too: what our own services still tell must not bring them back.
        """
        ids = sorted(offsets)
        await tx.execute(_ERASE_ATTRIBUTES, {"ids": ids})
        return int(await tx.scalar(_ERASE, {"ids": ids, "offsets": [offsets[each] for each in ids]}))

    async def save(self, tx: AsyncConnection, rows: Sequence[AccountRow]) -> None:
        """Write the accounts, new or known, in the order of their ids so that two writers cannot deadlock."""
        if not rows:
            return
        ordered = sorted(rows, key=lambda row: row.state.account_id)
        assessed = [row.state.last for row in ordered]
        await tx.execute(
            _SAVE,
            {
                "ids": [row.state.account_id for row in ordered],
                "partitions": [row.partition for row in ordered],
                "revisions": [row.state.revision for row in ordered],
                "states": [self._codec.encode(row.state) for row in ordered],
                "snapshots": [row.snapshot for row in ordered],
                "scores": [each.score if each else None for each in assessed],
                "bands": [each.band if each else None for each in assessed],
                "coverages": [each.coverage if each else 0.0 for each in assessed],
                "dues": [row.due_at for row in ordered],
                "models": [row.state.model for row in ordered],
                "missing": [_missing(row.state) for row in ordered],
                "scorecards": [row.state.card[0] if row.state.card else None for row in ordered],
                "overridden": [each is not None and each.overridden for each in assessed],
            },
        )
        await self._save_attributes(tx, [row.state for row in ordered if row.attributes_changed])

    async def _save_attributes(self, tx: AsyncConnection, states: Sequence[AccountState]) -> None:
        if not states:
            return
        told = [state.attributes for state in states]
        await tx.execute(
            _SAVE_ATTRIBUTES,
            {
                "ids": [state.account_id for state in states],
                "names": [_text(each, "name") for each in told],
                "plans": [_text(each, "plan") for each in told],
                "segments": [_text(each, "segment") for each in told],
                "owners": [_text(each, "owner") for each in told],
                "teams": [_text(each, "team") for each in told],
                "renewals": [_date(each.get("renewal_date")) for each in told],
                "attributes": [_storable(each) for each in told],
            },
        )

    async def due(
        self, tx: AsyncConnection, partitions: Collection[int], now: datetime, limit: int
    ) -> list[tuple[str, int, datetime]]:
        """Account, partition and due instant of what is due by `now`, longest due first."""
        rows = await tx.execute(_DUE, {"partitions": list(partitions), "now": now, "limit": limit})
        return [(row.account_id, row.partition, row.due_at) for row in rows]

    async def next_due(self, tx: AsyncConnection, partitions: Collection[int]) -> datetime | None:
        """When the next account of the partitions becomes due."""
        found: datetime | None = await tx.scalar(_NEXT_DUE, {"partitions": list(partitions)})
        return found

    async def behind(self, tx: AsyncConnection, partition: int, model: int, limit: int) -> list[str]:
        """Accounts of the partition that were last judged by a model before this one."""
        rows = await tx.execute(_BEHIND, {"partition": partition, "model": model, "limit": limit})
        return list(rows.scalars())


def _missing(state: AccountState) -> str:
    """The measures without data, each between two spaces, so that one can be looked for."""
    if state.last is None:
        return ""
    names = [name for name, value in state.last.values.items() if value is None]
    return f" {' '.join(names)} " if names else ""


def _storable(attributes: Mapping[str, Any]) -> str:
    """As JSON without NUL, which PostgreSQL does not take."""
    encoded = msgspec.json.encode(attributes).decode()
    return _NUL.sub(r"\1", encoded) if "u0000" in encoded else encoded


def _text(attributes: Mapping[str, Any], name: str) -> str | None:
    """The text to search by, if it is one that fits an index."""
    found = attributes.get(name)
    return found if isinstance(found, str) and "\x00" not in found and len(found) <= _LONGEST else None


def _date(value: Any) -> date | None:
    seconds = moment(value)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).date()
