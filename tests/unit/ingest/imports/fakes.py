"""What imports lean on, in memory."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from csm_common.errors import ConflictError, InvalidError, TransientError
from ingest.application.imports.job import STALE_AFTER, ImportJob
from ingest.application.imports.ports import JobKey


@dataclass(frozen=True, slots=True)
class Result:
    """An event that was not taken."""

    index: int
    code: str
    status: str = "rejected"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Of a batch."""

    accepted: int
    duplicates: int
    results: Sequence[Result]


class MemoryTaker:
    """Takes events, but for those without a subject. `failures` are raised first, one a call; after so many batches as
    `takes` tells it is away."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.bodies: list[bytes] = []
        self.batches: list[int] = []
        self.refused: list[Mapping[str, str]] = []
        self.failures: list[Exception] = []
        self.takes: int | None = None

    async def batch(self, events: Sequence[bytes], contexts: Sequence[Mapping[str, str]]) -> Receipt:
        """As the door does it."""
        assert len(events) == len(contexts)
        if self.failures:
            raise self.failures.pop(0)
        if self.takes is not None and len(self.batches) >= self.takes:
            raise TransientError("The brokers are away.", code="brokers_unavailable", retry_after=2.0)
        decoded = [msgspec.json.decode(each) for each in events]
        results = [
            Result(index, "invalid_subject") for index, each in enumerate(decoded) if not each.get("subject")
        ]
        self.refused += [contexts[each.index] for each in results]
        if len(results) == len(events):
            raise InvalidError("None was taken.", code="all_rejected", results=results)
        good = [each for each in decoded if each.get("subject")]
        fresh = {each["id"]: each for each in good if each["id"] not in self.events}
        self.events |= fresh
        self.bodies += events
        self.batches.append(len(events))
        return Receipt(len(fresh), len(good) - len(fresh), results)


class MemoryJobs:
    """Implements Jobs."""

    def __init__(self) -> None:
        self.jobs: dict[str, ImportJob] = {}
        self.away = False
        self.updates: list[datetime] = []

    async def begin(self, job: ImportJob) -> None:
        """Write it down."""
        known = self.jobs.get(job.id)
        if known and known.status == "running" and known.updated_at >= job.started_at - STALE_AFTER:
            raise ConflictError("It is running.", code="import_running")
        self.jobs[job.id] = deepcopy(job)

    async def save(self, job: ImportJob) -> None:
        """Write down how far it is."""
        if self.away:
            raise TransientError("The database does not answer right now.", code="database_unavailable")
        if self.jobs[job.id].started_at != job.started_at:
            raise ConflictError("Another has begun.", code="import_replaced")
        self.updates.append(job.updated_at)
        self.jobs[job.id] = deepcopy(job)

    async def get(self, id: str, now: datetime) -> ImportJob | None:
        """The import of that id."""
        return _seen(self.jobs[id], now) if id in self.jobs else None

    async def page(self, now: datetime, *, before: JobKey | None, limit: int) -> Sequence[ImportJob]:
        """The newest first."""
        ordered = sorted(self.jobs.values(), key=lambda job: (job.started_at, job.id), reverse=True)
        behind = [each for each in ordered if before is None or (each.started_at, each.id) < before]
        return [_seen(each, now) for each in behind[:limit]]


def _seen(job: ImportJob, now: datetime) -> ImportJob:
    seen = deepcopy(job)
    if seen.status == "running" and seen.updated_at < now - STALE_AFTER:
        seen.status, seen.problem = "interrupted", "Its process has ended."
    return seen
