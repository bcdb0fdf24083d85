"""The use case behind POST /v1/imports: an import and the job that tells of it, from beginning to end."""

from collections.abc import AsyncIterator

from csm_common.errors import CsmError, PermanentError, TransientError
from csm_common.telemetry.logs import get_logger
from ingest.application.budget import Hold
from ingest.application.imports.job import (
    ImportInterruptedError,
    ImportJob,
    ImportOrder,
    SenderGoneError,
    Status,
)
from ingest.application.imports.leaving import Leaving
from ingest.application.imports.run import Run, Surroundings

log = get_logger(__name__)


class Importing:
    """Runs imports. `leaving` is to be told first when the process has to end."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.leaving = Leaving()

    async def run(self, order: ImportOrder, chunks: AsyncIterator[bytes], hold: Hold) -> ImportJob:
        """Take the whole body of an import; `hold` grows by what it takes up in memory.

        ConflictError while an import of that id runs. ImportInterruptedError when it could not go on, with the job; other
        errors have the job in their extra members.
        """
        now = self._around.clock.now()
        job = ImportJob(
            id=order.id,
            format=order.format,
            source=order.source,
            backfill=order.backfill,
            started_at=now,
            updated_at=now,
        )
        await self._around.jobs.begin(job)
        try:
            await Run(self._around, order, job, hold).read(chunks)
        except TransientError as error:
            await self._end(job, "interrupted", error)
            raise ImportInterruptedError(
                f"{error.message} The import came to line {job.lines}.",
                code=error.code,
                retry_after=error.retry_after,
                job=job,
            ) from error
        except PermanentError as error:
            gone = isinstance(error, SenderGoneError)
            await self._end(job, "interrupted" if gone else "failed", error)
            error.extra["import"] = job
            raise
        await self._end(job, "done")
        return job

    async def _end(self, job: ImportJob, status: Status, error: CsmError | None = None) -> None:
        job.status = status
        job.problem = error.message if error else job.problem
        job.updated_at = job.ended_at = self._around.clock.now()
        try:
            await self._around.jobs.save(job)
        except CsmError as failure:
            # It is shown as interrupted all the same, once it has told nothing for a while.
            log.warning("the end of an import is not written down", id=job.id, reason=failure.message)
            if status == "done":
                raise
