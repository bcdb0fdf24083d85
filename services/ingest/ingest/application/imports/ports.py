"""What imports need of the outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ingest.application.imports.job import ImportJob


class EventResult(Protocol):
    """What became of one event of a batch, `index` being its place there; `status` is duplicate, parked or rejected."""

    @property
    def index(self) -> int: ...

    @property
    def status(self) -> str: ...

    @property
    def code(self) -> str | None: ...


class Receipt(Protocol):
    """How many events of a batch are durable now, how many were before, and those that are not news in `results`."""

    @property
    def accepted(self) -> int: ...

    @property
    def duplicates(self) -> int: ...

    @property
    def results(self) -> Sequence[EventResult]: ...


class Taker(Protocol):
    """The door's use case."""

    async def batch(self, events: Sequence[bytes], contexts: Sequence[Mapping[str, str]]) -> Receipt:
        """Take CloudEvents; those that are refused are kept among the rejections, each with its context.

        TransientError when nothing is promised and the same batch may be sent again; InvalidError with the code
        `all_rejected` and the `results` when all are refused.
        """
        ...


JobKey = tuple[datetime, str]
"""Where a page of imports ends: started_at, id."""


class Jobs(Protocol):
    """The table of imports."""

    async def begin(self, job: ImportJob) -> None:
        """Write it down, in place of an earlier one of the same id; ConflictError while that one runs."""
        ...

    async def save(self, job: ImportJob) -> None:
        """Write down how far it is; ConflictError when another import has begun under its id."""
        ...

    async def get(self, id: str, now: datetime) -> ImportJob | None:
        """The import of that id. One that says it runs and tells nothing any more is interrupted."""
        ...

    async def page(self, now: datetime, *, before: JobKey | None, limit: int) -> Sequence[ImportJob]:
        """Imports, the newest first."""
        ...
