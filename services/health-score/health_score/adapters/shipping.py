"""The scorecards that are shipped enter the table as versions like any other; in a new database they go into force at once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.application.model_ports import StoredCard

_ADD = text("""
INSERT INTO scorecards (name, version, document, author, note, created_at)
VALUES (:name, :version, :document, :author, :note, :created_at) ON CONFLICT DO NOTHING
""")

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('health_score.model_changes'))")
_UNTOUCHED = text("SELECT NOT EXISTS (SELECT FROM model_changes)")

_ACTIVATE = text("""
INSERT INTO model_changes (kind, name, version, actor, note, at)
VALUES ('activate', :name, :version, :author, :note, :at)
""")


async def ship(tx: AsyncConnection, cards: Sequence[StoredCard], now: datetime) -> None:
    """Add the versions that are not there yet; activate them all where nobody has ever activated anything."""
    await tx.execute(_ONE_AT_A_TIME)
    for card in cards:
        await tx.execute(
            _ADD,
            {
                "name": card.name,
                "version": card.version,
                "document": card.document,
                "author": card.author,
                "note": card.note,
                "created_at": now,
            },
        )
    if await tx.scalar(_UNTOUCHED):
        for card in cards:
            told = {"name": card.name, "version": card.version, "author": card.author, "note": card.note}
            await tx.execute(_ACTIVATE, {**told, "at": now})
