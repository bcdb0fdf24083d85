"""Transactions, and what is told where there can be none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from csm_common.database.errors import is_transient
from csm_common.errors import TransientError


@asynccontextmanager
async def connected(engine: AsyncEngine, advice: str = "Ask again later.") -> AsyncIterator[AsyncConnection]:
    """A transaction, committed at the end of the block; TransientError where the server is away or asks to try again, with
    `advice` for whoever waits for it."""
    try:
        async with engine.begin() as connection:
            yield connection
    except Exception as error:
        if not is_transient(error):
            raise
        raise TransientError(
            f"The database does not answer right now. {advice}",
            code="database_unavailable",
            retry_after=2.0,
        ) from error
