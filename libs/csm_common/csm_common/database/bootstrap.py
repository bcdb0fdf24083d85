"""What an administrator does once: the database, a role and a schema per service, and the table of API keys.

    CSM_ADMIN_DSN=postgresql://postgres:…@host/postgres CSM_PASSWORD_INGEST=… CSM_PASSWORD_HEALTH_SCORE=… \\
    CSM_PASSWORD_PLAYBOOKS=… CSM_PASSWORD_NOTIFIER=… python -m csm_common.database.bootstrap

Running it again changes nothing but the passwords.
"""

import asyncio
import os
import sys
from collections.abc import Mapping

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from csm_common.database.engine import async_url

DATABASE = "csm"
SERVICES = ("ingest", "health_score", "playbooks", "notifier")
"""Roles and schemas, one each."""

_ACCESS = """
CREATE SCHEMA IF NOT EXISTS access;
CREATE TABLE IF NOT EXISTS access.api_keys (
    key_id text PRIMARY KEY,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
ALTER TABLE access.api_keys ADD COLUMN IF NOT EXISTS source text;
ALTER TABLE access.api_keys ADD COLUMN IF NOT EXISTS events_per_s integer CHECK (events_per_s > 0);
ALTER TABLE access.api_keys ADD COLUMN IF NOT EXISTS rows text NOT NULL DEFAULT 'all';
"""


async def prepare_database(admin_dsn: str, passwords: Mapping[str, str]) -> str:
    """Make database, roles, schemas and grants; `passwords` has one per service. Returns the admin DSN of the database."""
    await _create_database(admin_dsn)
    inside = make_url(admin_dsn).set(database=DATABASE).render_as_string(hide_password=False)
    engine = create_async_engine(async_url(inside))
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('bootstrap', 0))"))
            for statement in _ACCESS.strip().split(";\n"):
                await connection.execute(text(statement))
            for service in SERVICES:
                await _prepare_service(connection, service, passwords[service])
    finally:
        await engine.dispose()
    return inside


async def _create_database(admin_dsn: str) -> None:
    engine = create_async_engine(async_url(admin_dsn), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            known = await connection.scalar(
                text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": DATABASE}
            )
            if not known:
                await connection.execute(text(f"CREATE DATABASE {DATABASE}"))
    finally:
        await engine.dispose()


async def _prepare_service(connection: AsyncConnection, service: str, password: str) -> None:
    known = await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": service})
    verb = "ALTER" if known else "CREATE"
    # Role statements take no parameters, so PostgreSQL itself quotes the password.
    quoted = await connection.scalar(
        text("SELECT quote_literal(CAST(:password AS text))"), {"password": password}
    )
    await connection.exec_driver_sql(f"{verb} ROLE {service} LOGIN PASSWORD {quoted}")
    await connection.exec_driver_sql(f"GRANT {service} TO CURRENT_USER")
    await connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {service}")
    await connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA access TO {service}")
    await connection.exec_driver_sql(f"GRANT SELECT ON access.api_keys TO {service}")


def main() -> None:
    """Read the environment and prepare; one clear sentence where something is missing."""
    try:
        admin_dsn = os.environ["CSM_ADMIN_DSN"]
        passwords = {service: os.environ[f"CSM_PASSWORD_{service.upper()}"] for service in SERVICES}
    except KeyError as missing:
        sys.exit(f"Set {missing.args[0]}: see `python -m csm_common.database.bootstrap`'s first lines.")
    asyncio.run(prepare_database(admin_dsn, passwords))
    sys.stdout.write(f"Database {DATABASE} is ready for {', '.join(SERVICES)}.\n")


if __name__ == "__main__":
    main()
