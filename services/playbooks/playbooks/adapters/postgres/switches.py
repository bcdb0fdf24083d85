"""The table `switches`: what is paused or archived, by name, and everything under the name of all."""

from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from playbooks.application.model import Switch

_ALL = text("SELECT name, state, reason, actor, at FROM switches")

_THROW = text("""
INSERT INTO switches (name, state, reason, actor, at) VALUES (:name, :state, :reason, :actor, :at)
ON CONFLICT (name) DO UPDATE SET state = :state, reason = :reason, actor = :actor, at = :at
""")


class PostgresSwitches:
    """Implements ports.Switches."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def all(self) -> Mapping[str, Switch]:
        """Those that were ever thrown, by name; what is not here is active."""
        return {row.name: Switch(**row._mapping) for row in await self._tx.execute(_ALL)}

    async def throw(self, switch: Switch) -> None:
        """Write it down, whatever it was before."""
        await self._tx.execute(_THROW, asdict(switch))
