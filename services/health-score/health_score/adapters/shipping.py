"""The scorecards that are shipped enter the table as versions like any other; in a new database they go into force at once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.adapters import model_changes
from health_score.application.model_ports import ModelChange, StoredCard

_ADD = text("""
INSERT INTO scorecards (name, version, document, author, note, created_at)
VALUES (:name, :version, :document, :author, :note, :created_at) ON CONFLICT DO NOTHING
""")

_UNTOUCHED = text("SELECT NOT EXISTS (SELECT FROM model_changes)")


async def ship(tx: AsyncConnection, cards: Sequence[StoredCard], now: datetime) -> None:
    """Add the versions that are not there yet; activate them all where nobody has ever activated anything."""
    await model_changes.lock(tx)
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
            await model_changes.append(tx, _activation(card, now))


def _activation(card: StoredCard, now: datetime) -> ModelChange:
    return ModelChange(
        number=0,
        kind="activate",
        name=card.name,
        version=card.version,
        actor=card.author,
        note=card.note,
        at=now,
    )
