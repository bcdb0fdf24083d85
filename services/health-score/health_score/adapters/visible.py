"""The accounts that a caller may see, as a piece of SQL that every read can carry."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.web.rows import Rows


def visible(rows: Rows, column: str) -> tuple[str, dict[str, str]]:
    """A condition on the column that holds account ids, and its parameters: `TRUE` where all may be seen.

    Name the column with its table: a bare account_id would be that of the table looked into, and everything would be seen.

    It costs one look into account_attributes for each row, or one walk of the index on team or owner, whichever is less.
    """
    found = "SELECT 1 FROM account_attributes AS seen WHERE seen.account_id ="
    if rows.team is not None:
        return f"EXISTS ({found} {column} AND seen.team = :rows_team)", {"rows_team": rows.team}
    if rows.owner is not None:
        return f"EXISTS ({found} {column} AND seen.owner = :rows_owner)", {"rows_owner": rows.owner}
    return "TRUE", {}


class PostgresSight:
    """Sight on PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def sees(self, rows: Rows, account_id: str) -> bool:
        """Whether the account is one of the rows; no query where all may be seen."""
        if not rows.limited:
            return True
        condition, parameters = visible(rows, ":id")
        async with self._engine.connect() as connection:
            found = await connection.scalar(text(f"SELECT {condition}"), {"id": account_id, **parameters})
        return bool(found)
