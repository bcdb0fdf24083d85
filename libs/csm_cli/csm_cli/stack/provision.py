"""Between the servers and the services: database, roles, schemas and API keys, made once and found again later."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from csm_cli.stack.credentials import Credentials
from csm_cli.stack.processes import SERVICES, key
from csm_common.database.bootstrap import prepare_database
from csm_common.database.engine import create_engine
from csm_common.errors import FatalError
from csm_common.web.keys import KeyStore, split_token

KEYS = {"write_key": "events:write", "api_key": "*"}


@dataclass(frozen=True, slots=True)
class Provision:
    """What the services and their clients need. `admin_dsn` and `service_dsns` are of database csm."""

    admin_dsn: str
    service_dsns: Mapping[str, str]
    keys: Mapping[str, str]


async def provision(admin_dsn: str, credentials: Credentials) -> Provision:
    """Prepare the server at `admin_dsn` for the services. FatalError when it cannot be reached or forbids it."""
    passwords = {key(service): credentials.password(key(service)) for service in SERVICES}
    try:
        inside = await prepare_database(admin_dsn, passwords)
        keys = await _ensure_keys(inside, credentials)
    except (OSError, SQLAlchemyError) as error:
        server = admin_dsn.rpartition("@")[2]  # without the password
        raise FatalError(f"PostgreSQL at {server} could not be prepared: {_reason(error)}.") from error
    url = make_url(inside)
    dsns = {
        name: url.set(username=key(name), password=passwords[key(name)]).render_as_string(hide_password=False)
        for name in SERVICES
    }
    return Provision(inside, dsns, keys)


async def _ensure_keys(dsn: str, credentials: Credentials) -> dict[str, str]:
    engine = create_engine(dsn)
    try:
        store = KeyStore(engine)
        for name, scope in KEYS.items():
            if not await _admitted(store, credentials.get(name)):
                credentials.keep(name, await store.create(name=f"csm up: {name}", scopes=[scope]))
    finally:
        await engine.dispose()
    return {name: credentials.get(name) or "" for name in KEYS}


async def _admitted(store: KeyStore, token: str | None) -> bool:
    """Whether the server knows this token: it may have been revoked, or be another server's."""
    parts = split_token(token) if token else None
    stored = await store.load(parts[0]) if parts else None
    return parts is not None and stored is not None and stored.admits(parts[1], datetime.now(UTC))


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
