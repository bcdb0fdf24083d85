"""The routes of imports, rejections and sources over fakes."""

import asyncio
from dataclasses import dataclass, field

import httpx
from fastapi import FastAPI
from tests.support.clock import ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.ingest.imports.fakes import MemoryJobs, MemoryTaker
from tests.unit.ingest.memory_store import MemoryRejections, MemoryStore
from tests.unit.ingest.rejections.fakes import AskedReplays, MemoryRejectionReads
from tests.unit.ingest.sources.fakes import MemorySources

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from ingest.application.budget import Budget
from ingest.application.imports.importing import Importing
from ingest.application.imports.limits import ImportLimits
from ingest.application.imports.parking import LineParking
from ingest.application.imports.patience import Patience
from ingest.application.imports.run import Surroundings
from ingest.application.sources import SourceTally
from ingest.entrypoints.imports import import_routes
from ingest.entrypoints.rejections import rejection_routes
from ingest.entrypoints.sources import source_routes


@dataclass
class BulkDoor:
    """The app, and everything it leans on. Nothing is waited for: patience is at its end at once."""

    limits: ImportLimits = field(default_factory=lambda: ImportLimits(patience_s=0, batch_lines=2))
    clock: ManualClock = field(default_factory=ManualClock)
    keys: MemoryKeys = field(default_factory=MemoryKeys)
    taker: MemoryTaker = field(default_factory=MemoryTaker)
    jobs: MemoryJobs = field(default_factory=MemoryJobs)
    store: MemoryStore = field(default_factory=MemoryStore)
    rejections: MemoryRejections = field(default_factory=MemoryRejections)
    replays: AskedReplays = field(default_factory=AskedReplays)
    sources: MemorySources = field(default_factory=MemorySources)
    budget: Budget = field(default_factory=lambda: Budget(2**30))

    def __post_init__(self) -> None:
        """Make the app and a client with a key that may do everything."""
        around = Surroundings(
            self.taker,
            self.jobs,
            LineParking(self.store, SourceTally()),
            self.clock,
            self.limits,
            Patience(self.limits.patience_s, sleep=asyncio.sleep),
        )
        self.importing = Importing(around)
        reads = MemoryRejectionReads(self.rejections)
        self.app: FastAPI = create_web_app(
            title="ingest",
            description="Bulk.",
            authenticator=Authenticator(self.keys, self.clock),
            routers=[
                import_routes(self.importing, self.jobs, self.budget, self.clock, idle_s=self.limits.idle_s),
                rejection_routes(reads, self.replays, self.clock),
                source_routes(self.sources, self.clock),
            ],
            ready={},
            alive={},
        )
        self.client = self.with_scopes("*")

    def with_scopes(self, *scopes: str) -> httpx.AsyncClient:
        """A client whose key has these scopes."""
        token = self.keys.add("".join(filter(str.isalnum, "k".join(scopes))) or "all", scopes=scopes)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://ingest",
            headers={"authorization": f"Bearer {token}"},
        )
