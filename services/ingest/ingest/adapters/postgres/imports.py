"""The table of imports. An import that begins under a known id takes the row over; the one before cannot write it any more."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.errors import ConflictError
from ingest.adapters.postgres.connecting import connected
from ingest.application.imports.job import STALE_AFTER, ImportJob
from ingest.application.imports.ports import JobKey

_NAMES = tuple(each.name for each in fields(ImportJob))
_COLUMNS = ", ".join(_NAMES)
_VALUES = ", ".join(f"CAST(:{name} AS jsonb)" if name == "reasons" else f":{name}" for name in _NAMES)

_BEGIN = text(f"""
INSERT INTO imports ({_COLUMNS}) VALUES ({_VALUES})
ON CONFLICT (id) DO UPDATE SET ({_COLUMNS}) = ({_VALUES})
WHERE imports.status <> 'running' OR imports.updated_at < :stale
""")  # noqa: S608 - the columns are constants

# The time at which it began tells an import from the next one of the same id.
_SAVE = text(f"UPDATE imports SET ({_COLUMNS}) = ({_VALUES}) WHERE id = :id AND started_at = :started_at")  # noqa: S608

_ONE = text(f"SELECT {_COLUMNS} FROM imports WHERE id = :id")  # noqa: S608

_PAGE = text(f"""
SELECT {_COLUMNS} FROM imports
WHERE NOT :paged OR (started_at, id) < (:started_at, :id)
ORDER BY started_at DESC, id DESC LIMIT :limit
""")  # noqa: S608


class PostgresImports:
    """Jobs."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, job: ImportJob) -> None:
        """Write it down, in place of an earlier one of the same id; ConflictError while that one runs."""
        async with connected(self._engine) as tx:
            written = await tx.execute(_BEGIN, {**_row(job), "stale": job.started_at - STALE_AFTER})
        if not written.rowcount:
            raise ConflictError(
                f"The import {job.id!r} is running. Wait for its end, or choose another id.",
                code="import_running",
            )

    async def save(self, job: ImportJob) -> None:
        """Write down how far it is; ConflictError when another import has begun under its id."""
        async with connected(self._engine) as tx:
            written = await tx.execute(_SAVE, _row(job))
        if not written.rowcount:
            raise ConflictError(
                f"Another import has begun under the id {job.id!r}; this one ends.", code="import_replaced"
            )

    async def get(self, id: str, now: datetime) -> ImportJob | None:
        """The import of that id. One that says it runs and tells nothing any more is interrupted."""
        async with connected(self._engine) as tx:
            row = (await tx.execute(_ONE, {"id": id})).one_or_none()
        return None if row is None else _job(row, now)

    async def page(self, now: datetime, *, before: JobKey | None, limit: int) -> Sequence[ImportJob]:
        """Imports, the newest first."""
        started_at, last = before or (now, "")
        key = {"paged": before is not None, "started_at": started_at, "id": last}
        async with connected(self._engine) as tx:
            rows = await tx.execute(_PAGE, {**key, "limit": limit})
            return [_job(row, now) for row in rows]


def _row(job: ImportJob) -> dict[str, Any]:
    return asdict(job) | {"reasons": msgspec.json.encode(job.reasons).decode()}


def _job(row: Row[Any], now: datetime) -> ImportJob:
    job = ImportJob(**row._mapping)
    if job.status == "running" and job.updated_at < now - STALE_AFTER:
        job.status = "interrupted"
        job.problem = (
            "It has told nothing for some minutes: the process that ran it has ended. Send the file again."
        )
    return job
