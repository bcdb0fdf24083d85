"""What accounts cost: memory of the process that has them in mind, and bytes on disk."""

from dataclasses import dataclass

import psutil
from sqlalchemy import text

from benchmarks.line.place import Place
from csm_cli.stack.server import Server
from csm_common.database.engine import create_engine

_ON_DISK = text("SELECT pg_total_relation_size('accounts') AS bytes, count(*) AS accounts FROM accounts")


@dataclass(frozen=True, slots=True)
class Costs:
    """At one moment, in bytes."""

    memory: int
    disk: int
    accounts: int


async def costs(place: Place, service: Server) -> Costs:
    """Of health-score now."""
    engine = create_engine(place.dsns["health_score"], schema="health_score", pool_size=1)
    try:
        async with engine.connect() as connection:
            row = (await connection.execute(_ON_DISK)).one()
    finally:
        await engine.dispose()
    return Costs(psutil.Process(service.child.pid).memory_info().rss, row.bytes, row.accounts)
