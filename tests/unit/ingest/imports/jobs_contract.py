"""What every table of imports must do; run on the fake here and on PostgreSQL in the integration tier."""

from datetime import timedelta

import pytest
from tests.support.clock import START

from csm_common.errors import ConflictError
from ingest.application.imports.job import STALE_AFTER, ImportJob
from ingest.application.imports.ports import Jobs

SECOND = timedelta(seconds=1)


def a_job(id: str = "march", *, begun: timedelta = timedelta(0)) -> ImportJob:
    """An import that has begun so long after START."""
    return ImportJob(id=id, backfill=False, started_at=START + begun, updated_at=START + begun)


class JobsContract:
    """Subclass it with a fixture `jobs`."""

    async def test_a_job_is_as_it_was_saved(self, jobs: Jobs) -> None:
        job = a_job()
        await jobs.begin(job)
        job.lines, job.bytes, job.accepted, job.duplicates, job.format = 7, 2**40, 3, 2, "csv"
        job.reject("invalid_subject")
        job.reject("not_csv", 2)
        job.status, job.problem, job.ended_at = "failed", "Cut off.", START + SECOND
        await jobs.save(job)

        assert await jobs.get("march", START) == job
        assert job.reasons == {"invalid_subject": 1, "not_csv": 2}
        assert await jobs.get("april", START) is None

    async def test_an_import_that_runs_is_not_begun_again(self, jobs: Jobs) -> None:
        await jobs.begin(a_job())

        with pytest.raises(ConflictError) as refused:
            await jobs.begin(a_job(begun=SECOND))
        assert refused.value.code == "import_running"

    async def test_an_import_that_ended_may_be_begun_again(self, jobs: Jobs) -> None:
        first, second = a_job(), a_job(begun=SECOND)
        await jobs.begin(first)
        first.status, first.accepted = "done", 5
        await jobs.save(first)
        await jobs.begin(second)

        assert await jobs.get("march", START + SECOND) == second

    async def test_one_that_tells_nothing_any_more_is_shown_as_interrupted_and_gives_way(
        self, jobs: Jobs
    ) -> None:
        silent, next_one = a_job(), a_job(begun=STALE_AFTER + SECOND)
        await jobs.begin(silent)

        still = await jobs.get("march", START + STALE_AFTER)
        assert still is not None
        assert (still.status, still.problem) == ("running", None)
        gone = await jobs.get("march", START + STALE_AFTER + SECOND)
        assert gone is not None
        assert gone.status == "interrupted"
        assert gone.problem
        assert (await jobs.page(START + STALE_AFTER + SECOND, before=None, limit=1))[
            0
        ].status == "interrupted"

        await jobs.begin(next_one)
        with pytest.raises(ConflictError) as refused:  # the one before wakes up again
            await jobs.save(silent)
        assert refused.value.code == "import_replaced"
        assert await jobs.get("march", next_one.started_at) == next_one

    async def test_pages_go_from_the_newest_to_the_oldest(self, jobs: Jobs) -> None:
        for number in range(5):
            await jobs.begin(a_job(f"import-{number}", begun=(number // 2) * SECOND))

        first = await jobs.page(START, before=None, limit=2)
        last = first[-1]
        rest = await jobs.page(START, before=(last.started_at, last.id), limit=9)

        assert [each.id for each in [*first, *rest]] == [f"import-{number}" for number in (4, 3, 2, 1, 0)]
