"""Transactions of a statement or two, for what needs no unit of work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from csm_common.database.errors import is_transient
from csm_common.errors import TransientError


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction, committed at the end of the block; TransientError where the server is away or asks to try again."""
    try:
        async with engine.begin() as connection:
            yield connection
    except Exception as error:
        if not is_transient(error):
            raise
        raise TransientError(
            "The database does not answer right now. Ask again later.",
            code="database_unavailable",
            retry_after=2.0,
        ) from error
