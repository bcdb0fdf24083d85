"""Migrations: every replica may run them at its start, one at a time, and none goes on with a schema it does not know."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.postgres import Database

from csm_common.database.engine import service_engine
from csm_common.database.migrations import migrate
from csm_common.errors import FatalError

REVISION = """
from alembic import op

revision = "{revision}"
down_revision = {down}


def upgrade() -> None:
    for statement in {statements}:
        op.execute(statement)
"""


def add_revision(scripts: Path, revision: str, *statements: str, down: str | None = None) -> None:
    """Write one migration."""
    versions = scripts / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    content = REVISION.format(revision=revision, down=repr(down), statements=statements)
    (versions / f"{revision}.py").write_text(content, encoding="utf-8")


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """One migration that makes the table `things`, slowly."""
    add_revision(tmp_path, "0001", "CREATE TABLE things (name text)", "SELECT pg_sleep(0.3)")
    return tmp_path


async def tables(engine: AsyncEngine) -> set[str]:
    """The tables of the service's schema."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'ingest'")
        )
        return {row.table_name for row in rows}


async def test_replicas_that_start_at_once_migrate_once(engine: AsyncEngine, scripts: Path) -> None:
    await asyncio.gather(*(migrate(engine, schema="ingest", scripts=scripts) for _ in range(3)))
    assert {"things", "alembic_version"} <= await tables(engine)


async def test_a_later_build_adds_its_own_steps(engine: AsyncEngine, scripts: Path) -> None:
    await migrate(engine, schema="ingest", scripts=scripts)
    add_revision(scripts, "0002", "ALTER TABLE things ADD COLUMN size int", down="0001")
    await migrate(engine, schema="ingest", scripts=scripts)
    async with engine.begin() as tx:
        await tx.execute(text("INSERT INTO things (name, size) VALUES ('a', 1)"))
        assert await tx.scalar(text("SELECT version_num FROM alembic_version")) == "0002"


async def test_a_step_that_fails_leaves_nothing_behind(engine: AsyncEngine, scripts: Path) -> None:
    add_revision(scripts, "0002", "CREATE TABLE more (name text)", "SELECT 1 / 0", down="0001")
    with pytest.raises(Exception, match="division by zero"):
        await migrate(engine, schema="ingest", scripts=scripts)
    assert not {"things", "more"} & await tables(engine)


async def test_an_older_build_does_not_start_on_a_newer_schema(engine: AsyncEngine, scripts: Path) -> None:
    add_revision(scripts, "0002", "CREATE TABLE more (name text)", down="0001")
    await migrate(engine, schema="ingest", scripts=scripts)
    (scripts / "versions" / "0002.py").unlink()
    with pytest.raises(FatalError, match="a revision that this build does not know"):
        await migrate(engine, schema="ingest", scripts=scripts)


async def test_a_migration_may_take_longer_than_a_request(database: Database, scripts: Path) -> None:
    hasty = database.settings("ingest").model_copy(update={"statement_timeout_s": 0.1})
    engine = service_engine(hasty, "ingest")
    try:
        await migrate(engine, schema="ingest", scripts=scripts)
    finally:
        await engine.dispose()
    async with database.engine("ingest") as patient:
        assert "things" in await tables(patient)
