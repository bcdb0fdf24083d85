"""Alembic without an env.py per service: every service migrates its own schema at start, one replica at a time."""

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.errors import FatalError
from csm_common.telemetry.logs import get_logger

log = get_logger(__name__)


async def migrate(engine: AsyncEngine, *, schema: str, scripts: Path) -> None:
    """Bring `schema` to the newest revision under `scripts`/versions; waits while another replica is at it.

    Raises FatalError where the schema is at a revision this build does not know (an older build on a newer database).
    """
    async with engine.begin() as connection:
        # Building an index, or waiting for another replica that does, may take longer than any request.
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"migrate:{schema}"}
        )
        await connection.run_sync(_upgrade, schema, scripts)


def _upgrade(connection: Connection, schema: str, scripts: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    directory = ScriptDirectory.from_config(config)

    def steps(revision: object, _: MigrationContext) -> object:
        return directory._upgrade_revs("head", revision)  # type: ignore[arg-type]  # alembic's own commands do the same

    environment = EnvironmentContext(config, directory, fn=steps)
    environment.configure(connection=connection, version_table_schema=schema, transaction_per_migration=False)
    try:
        with environment.begin_transaction():
            environment.run_migrations()
    except CommandError as error:
        raise FatalError(
            f"Schema {schema} is at a revision that this build does not know: {error}"
        ) from error
    log.info("schema is current", schema=schema, revision=directory.get_current_head())
