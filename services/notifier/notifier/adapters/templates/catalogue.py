"""The documents in force, kept at hand: asked for again only when the counter of generations has moved."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_GENERATION = text("SELECT number FROM template_generation")
_ACTIVE = text("SELECT document::text FROM templates WHERE active ORDER BY name")


class Catalogue:
    """Implements renderer.InForce. `refresh` is called at the start, after every change, and twice a second."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._lock = asyncio.Lock()
        self.generation = 0
        self.documents: Sequence[Mapping[str, Any]] = ()

    async def refresh(self) -> None:
        """Take over what is in force now."""
        async with self._lock, self._engine.connect() as connection:
            number = await connection.scalar(_GENERATION)
            if number != self.generation:
                # A change between the two is seen once more in the next round, for the number was read first.
                found = (await connection.scalars(_ACTIVE)).all()
                self.documents, self.generation = [json.loads(each) for each in found], int(number or 0)
