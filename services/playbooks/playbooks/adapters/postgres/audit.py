"""The table `audit`: who did what to what, only ever added to."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from playbooks.adapters.postgres.columns import names_of, parameters, unnested
from playbooks.application.model import Audited

_NAMES = names_of(Audited)

_ADD = text(f"""
INSERT INTO audit (at, actor, action, subject, account_id, detail)
SELECT at, actor, action, subject, account_id, CAST(detail AS jsonb) FROM {unnested(_NAMES)}
""")  # noqa: S608  (names of our own fields)


class PostgresAudit:
    """Implements ports.Audit."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, audited: Sequence[Audited]) -> None:
        """Write it down."""
        if audited:
            columns = parameters(audited, _NAMES)
            columns["detail"] = [msgspec.json.encode(each.detail).decode() for each in audited]
            await self._tx.execute(_ADD, columns)
