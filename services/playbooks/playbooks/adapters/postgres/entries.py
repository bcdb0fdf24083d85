"""The table `entries`: what each crossing meant for each playbook it triggers."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from playbooks.adapters.postgres.columns import insert, names_of, parameters
from playbooks.application.model import Entry

ENTRY_COLUMNS = ", ".join(names_of(Entry))

_ADD = text(insert("entries", Entry))


class PostgresEntries:
    """Implements ports.Entries."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, entries: Sequence[Entry]) -> None:
        """Write them down."""
        if entries:
            await self._tx.execute(_ADD, parameters(entries, names_of(Entry)))
