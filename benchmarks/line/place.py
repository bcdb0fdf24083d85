"""The servers of a measurement: the embedded PostgreSQL and broker, and the services as the processes they are."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ingest.servers import free_port
from csm_cli.stack.broker import EmbeddedBroker
from csm_cli.stack.child import Child, answers, python
from csm_cli.stack.home import Home
from csm_cli.stack.postgres import EmbeddedPostgres
from csm_cli.stack.server import Server
from csm_common.database.bootstrap import SERVICES, prepare_database
from csm_common.database.engine import create_engine
from csm_common.kafka.admin import ensure_topics
from csm_common.settings import KafkaSettings
from csm_common.web.keys import KeyStore


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is. `key` has all scopes."""

    home: Path
    kafka: KafkaSettings
    dsns: dict[str, str]
    ports: dict[str, int]
    key: str

    @contextmanager
    def service(self, name: str) -> Iterator[Server]:
        """The service as a real process, ready when the block begins."""
        environment = {
            "CSM_HTTP__PORT": str(self.ports[name]),
            "CSM_DATABASE__DSN": self.dsns[name],
            "CSM_KAFKA__BOOTSTRAP": self.kafka.bootstrap,
            "CSM_KAFKA__IDEMPOTENCE": "false",
            "CSM_KAFKA__ASSIGNMENT": "all",
            "CSM_KAFKA__FETCH_MAX_WAIT_MS": str(self.kafka.fetch_max_wait_ms),
        }
        home = Home(self.home / name)  # a server's guard ends at last whatever else its home has started
        child = Child(
            name.replace("_", "-"),
            python(name),
            home=home,
            ready=lambda: answers(self.ports[name], "/readyz"),
            environment=environment,
        )
        with Server(home, child) as server:
            yield server


@contextmanager
def running(home: Path) -> Iterator[Place]:
    """Servers on free ports, with the database and the topics made."""
    with EmbeddedPostgres(home, free_port()) as postgres, EmbeddedBroker(home, free_port()) as broker:
        kafka = KafkaSettings(
            bootstrap=broker.bootstrap, idempotence=False, assignment="all", fetch_max_wait_ms=10
        )
        yield asyncio.run(_prepare(home, postgres, kafka))


async def _prepare(home: Path, postgres: EmbeddedPostgres, kafka: KafkaSettings) -> Place:
    passwords = {service: secrets.token_hex(8) for service in SERVICES}
    admin = await prepare_database(postgres.dsn(), passwords)
    engine = create_engine(admin)
    try:
        key = await KeyStore(engine).create(name="benchmark", scopes=["*"])
    finally:
        await engine.dispose()
    await ensure_topics(kafka)
    server = admin.split("@", 1)[1]
    dsns = {service: f"postgresql://{service}:{password}@{server}" for service, password in passwords.items()}
    return Place(home, kafka, dsns, {service: free_port() for service in SERVICES}, key)
