"""What the tables of sources must do; run on the fake here and on PostgreSQL in the integration tier."""

from datetime import datetime, timedelta
from typing import Any, Protocol

from tests.support.clock import START

from ingest.application.source_health import Counts, SourceReads
from ingest.application.sources import SourceMinute, SourceRecords, Violation

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Sources(SourceRecords, SourceReads, Protocol):
    """Both sides of the tables."""


def a_minute(source: str = "crm", at: datetime = START, **told: Any) -> SourceMinute:
    """What a source sent in the minute of `at`."""
    return SourceMinute(source=source, minute=at.replace(second=0, microsecond=0), last_event_at=at, **told)


def a_violation(
    name: str = "Report Viewed",
    at: datetime = START,
    *,
    source: str = "crm",
    times: int = 1,
    example: str = "4",
) -> Violation:
    """A rule that was broken."""
    return Violation(source=source, name=name, path="$.id", rule="type", times=times, example=example, at=at)


class SourcesContract:
    """Subclass it with a fixture `sources`."""

    async def test_what_is_added_adds_up(self, sources: Sources) -> None:
        later = START + timedelta(seconds=30)
        await sources.add([a_minute(accepted=3, held=1, skew_s=2.5), a_minute("app", accepted=1)], [])
        await sources.add(
            [a_minute(at=later, accepted=2, duplicates=1, rejected=4, late=1), a_minute(at=START + MINUTE)],
            [],
        )

        found = await sources.figures("crm", START + MINUTE)

        assert found is not None
        assert found.summary.last_24h == Counts(accepted=5, duplicates=1, rejected=4, held=1, late=1)
        assert found.summary.last_event_at == START + MINUTE
        assert found.clock_skew_s == 2.5
        assert found.received == {START: 11, START + MINUTE: 0}
        assert found.open_rejections == 0

    async def test_the_newest_skew_that_was_told_counts(self, sources: Sources) -> None:
        await sources.add([a_minute(skew_s=2.0), a_minute(at=START + MINUTE, skew_s=-3.0)], [])
        await sources.add([a_minute(at=START + MINUTE), a_minute(at=START + 2 * MINUTE)], [])

        found = await sources.figures("crm", START + 2 * MINUTE)

        assert found is not None
        assert found.clock_skew_s == -3.0

    async def test_counts_are_those_of_a_day_and_rates_those_of_an_hour(self, sources: Sources) -> None:
        ago = (5 * MINUTE, 90 * MINUTE, DAY + MINUTE)
        await sources.add([a_minute(at=START - each, accepted=1) for each in ago], [])

        found = await sources.figures("crm", START)

        assert found is not None
        assert found.summary.last_24h.accepted == 2
        assert found.received == {START - 5 * MINUTE: 1}

    async def test_sources_come_in_the_order_of_their_names(self, sources: Sources) -> None:
        await sources.add([a_minute(name, accepted=1) for name in ("d", "b", "c", "a")], [])
        await sources.add([a_minute("old", at=START - 9 * DAY)], [])

        first = await sources.page(START, after="", limit=3)
        rest = await sources.page(START, after=first[-1].source, limit=3)

        assert [each.source for each in [*first, *rest]] == ["a", "b", "c", "d"]
        assert all(each.last_24h.accepted == 1 for each in first)

    async def test_nothing_is_known_of_a_source_that_sent_nothing_lately(self, sources: Sources) -> None:
        await sources.add([a_minute(at=START - 9 * DAY, accepted=1)], [])

        assert await sources.figures("crm", START) is None
        assert await sources.figures("nobody", START) is None

    async def test_violations_are_counted_and_the_latest_come_first(self, sources: Sources) -> None:
        await sources.add([], [a_violation(), a_violation("Signed Up"), a_violation(source="app")])
        await sources.add([], [a_violation(at=START + MINUTE, times=3, example="5")])

        newest, older = await sources.violations("crm", before=None, limit=9)

        assert (newest.name, newest.times, newest.example) == ("Report Viewed", 4, "5")
        assert (newest.first_at, newest.last_at) == (START, START + MINUTE)
        assert (older.name, older.times) == ("Signed Up", 1)

    async def test_violations_come_in_pages(self, sources: Sources) -> None:
        await sources.add([], [a_violation(str(n), at=START + (n // 2) * MINUTE) for n in range(5)])

        first = await sources.violations("crm", before=None, limit=2)
        last = first[-1]
        key = (last.last_at, last.name, last.path, last.rule)
        rest = await sources.violations("crm", before=key, limit=9)

        assert [each.name for each in [*first, *rest]] == ["4", "3", "2", "1", "0"]

    async def test_what_is_old_is_forgotten(self, sources: Sources) -> None:
        await sources.add([a_minute(at=START - 9 * DAY), a_minute()], [a_violation(at=START - 31 * DAY)])
        await sources.add([], [a_violation("Signed Up", at=START - 29 * DAY)])

        await sources.prune(START)

        assert await sources.figures("crm", START - 8 * DAY) is not None  # the minute that stayed
        assert [each.name for each in await sources.violations("crm", before=None, limit=9)] == ["Signed Up"]

    async def test_adding_nothing_changes_nothing(self, sources: Sources) -> None:
        await sources.add([], [])

        assert await sources.page(START, after="", limit=9) == []
