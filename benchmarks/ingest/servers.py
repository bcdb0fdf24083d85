"""The two programs under load, as processes of their own, and the key they are sent."""

import socket
import sys

from csm_cli.stack.child import HOST, Child, accepts, answers, python
from csm_cli.stack.home import Home
from csm_cli.stack.postgres import EmbeddedPostgres
from csm_cli.stack.server import Server
from csm_common.database.bootstrap import SERVICES, prepare_database
from csm_common.database.engine import create_engine
from csm_common.web.keys import KeyStore

_PASSWORD = "benchmark"  # noqa: S105 - of a server that lives for a minute, on loopback


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def make_key(postgres: EmbeddedPostgres) -> str:
    """A key that may write events, in a database made for it."""
    admin = await prepare_database(postgres.dsn(), dict.fromkeys(SERVICES, _PASSWORD))
    engine = create_engine(admin)
    try:
        return await KeyStore(engine).create(name="benchmark", scopes=["events:write"])
    finally:
        await engine.dispose()


def ingest(home: Home, port: int, bootstrap: str, postgres: EmbeddedPostgres) -> Server:
    """`python -m ingest`, as it runs everywhere."""
    address = postgres.dsn("csm").rpartition("@")[2]
    environment = {
        "CSM_HTTP__PORT": str(port),
        "CSM_DATABASE__DSN": f"postgresql://ingest:{_PASSWORD}@{address}",
        "CSM_KAFKA__BOOTSTRAP": bootstrap,
        "CSM_KAFKA__IDEMPOTENCE": "false",
    }
    child = Child(
        "ingest",
        python("ingest"),
        home=home,
        ready=lambda: answers(port, "/readyz"),
        environment=environment,
    )
    return Server(home, child)


def bare(home: Home, port: int, bootstrap: str) -> Server:
    """The bare program."""
    command = [sys.executable, "-m", "benchmarks.ingest.bare", bootstrap, str(port)]
    return Server(home, Child("bare", command, home=home, ready=lambda: accepts(port)))
