"""Ingest's app over fakes, and what to send to it."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp
from tests.support.clock import ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.ingest.fakes import MemoryBrokers
from tests.unit.ingest.imports.fakes import MemoryJobs
from tests.unit.ingest.memory_archive import MemoryArchive
from tests.unit.ingest.memory_store import MemoryStore
from tests.unit.ingest.rejections.fakes import MemoryRejectionReads
from tests.unit.ingest.sources.fakes import MemorySources

from csm_common.contracts.topics import CUSTOMER_CONTACTS, CUSTOMER_EVENTS
from csm_common.database.outbox import Message
from csm_common.settings import DatabaseSettings, HttpSettings, KafkaSettings
from csm_common.web.auth import Authenticator
from ingest.adapters.configuration import Configuration
from ingest.application.handlers import Handlers, Reads
from ingest.application.ports import Rejection
from ingest.application.sources import SourceTally
from ingest.application.webhooks.connections import connect
from ingest.assembly import Parts, create_handlers
from ingest.entrypoints.http import create_app
from ingest.settings import DoorSettings, IngestSettings

PATH = "/v1/events"


def event(**attributes: Any) -> dict[str, Any]:
    """A custom event that is in order, but for `attributes`; one that is given as ... is left out."""
    whole = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "urn:acme:app",
        "type": "acme.workspace.archived",
        "subject": "acme",
        "time": "2026-03-02T08:59:00Z",
        "data": {"workspace": "w-3"},
    } | attributes
    return {name: value for name, value in whole.items() if value is not ...}


def usage(**data: Any) -> dict[str, Any]:
    """A usage event with this data."""
    return event(type="csm.usage.recorded", data=data)


@dataclass
class Door:
    """The app, and everything it leans on."""

    settings: IngestSettings
    clock: ManualClock = field(default_factory=ManualClock)
    brokers: MemoryBrokers = field(default_factory=MemoryBrokers)
    keys: MemoryKeys = field(default_factory=MemoryKeys)
    store: MemoryStore = field(default_factory=MemoryStore)
    tally: SourceTally = field(default_factory=SourceTally)
    configuration: Configuration = field(default_factory=Configuration)
    environment: dict[str, str] = field(default_factory=dict)
    archive: MemoryArchive = field(default_factory=MemoryArchive)

    def __post_init__(self) -> None:
        """Make the app and a client with a key that may write events."""
        self.token = self.keys.add("writer", scopes=["events:write"], source="backend")
        connections = connect(self.configuration.webhooks, self.environment)
        jobs = MemoryJobs()
        parts = Parts(
            store=self.store,
            jobs=jobs,
            archive=self.archive,
            publisher=self.brokers,
            clock=self.clock,
            tally=self.tally,
            connections=connections,
            environment=self.environment,
        )
        self.handlers: Handlers = create_handlers(self.settings.ingest, self.configuration, parts)
        self.app: ASGIApp = create_app(
            self.settings,
            self.handlers,
            Reads(
                jobs=jobs,
                rejections=MemoryRejectionReads(self.store.tables.rejections),
                sources=MemorySources(),
            ),
            authenticator=Authenticator(self.keys, self.clock),
            clock=self.clock,
            connections=connections,
            ready={},
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://ingest",
            headers={"authorization": f"Bearer {self.token}"},
        )

    async def post(self, body: object, **headers: str) -> httpx.Response:
        """The answer to a body: bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(PATH, content=content, headers=headers)

    @property
    def facts(self) -> list[Message]:
        """What is on the log of facts."""
        return self.brokers.logs[CUSTOMER_EVENTS.name]

    @property
    def contacts(self) -> list[Message]:
        """What the outbox holds for the log of contacts."""
        return [each for each in self.store.tables.outbox.messages if each.topic == CUSTOMER_CONTACTS.name]

    @property
    def rejections(self) -> list[Rejection]:
        """What is kept because it was not taken, or not yet."""
        return list(self.store.tables.rejections.rows.values())


def open_door(
    http: HttpSettings | None = None,
    brokers: MemoryBrokers | None = None,
    configuration: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
    **limits: Any,
) -> Door:
    """A door with these limits and this configuration, else with the defaults."""
    return Door(
        brokers=brokers or MemoryBrokers(),
        configuration=Configuration.model_validate(configuration or {}),
        environment=environment or {},
        settings=IngestSettings(
            http=http or HttpSettings(),
            database=DatabaseSettings.model_validate({"dsn": "postgresql://nobody@nowhere/none"}),
            kafka=KafkaSettings(bootstrap="nowhere:9092"),
            ingest=DoorSettings(**limits),
        ),
    )


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document that has all that one must have."""
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["message"].endswith((".", "?"))
    return response.status_code, problem["code"]
