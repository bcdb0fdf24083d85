"""An account's history as it is read: change by change with what moved, or in even stretches for a chart."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from csm_common.clock import Clock
from csm_common.errors import InvalidError
from health_score.application.charts import Bucket, Chart, aligned, width_of
from health_score.application.explaining_ports import Change, HistoryReads, Mark, Told
from health_score.application.model_ports import ModelChange
from health_score.domain.comparison import Moved, moved

_AHEAD = timedelta(minutes=5)
"""How far another replica's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldChange(Change):
    """A change with the measures whose parts moved. `by_model`: the model or a source did it, not the customer."""

    moved: tuple[Moved, ...]
    by_model: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """Changes, the oldest first; pass `next_cursor` on for the next page, None at the end. `model_changes` are the marks of the
    whole fleet in that time."""

    changes: list[ToldChange]
    model_changes: list[ModelChange]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPage:
    """The stretches from the first that anything was known in."""

    buckets: list[Bucket]
    model_changes: list[ModelChange]


class Histories:
    """The use cases behind `GET /v1/accounts/{id}/history`."""

    def __init__(self, reads: HistoryReads, clock: Clock) -> None:
        self._reads = reads
        self._clock = clock

    async def changes(
        self, account_id: str, start: datetime | None, end: datetime | None, after: int, limit: int
    ) -> ChangePage | None:
        """The changes behind the revision `after`; None for an account that nothing is known of."""
        first = await self._reads.first(account_id)
        if first is None:
            return None
        since, until = self._span(start or first, end)
        found = await self._reads.page(account_id, since, until, after, limit)
        before = await self._reads.before(account_id, found[0].change.revision) if found else None
        told = [_told(was, each) for was, each in zip([before, *found], found, strict=False)]
        marks = await self._reads.model_changes(since, until)
        return ChangePage(changes=told, model_changes=marks)

    async def chart(
        self, account_id: str, start: datetime | None, end: datetime | None, resolution: str
    ) -> ChartPage | None:
        """Stretches of the width `resolution`; None for an account that nothing is known of."""
        width = width_of(resolution)
        first = await self._reads.first(account_id)
        if first is None:
            return None
        since, until = self._span(max(first, start or first), end)
        since = aligned(since, width)
        before = await self._reads.at(account_id, since)
        chart = Chart(since, min(until, self._clock.now()), width, None if before is None else _mark(before))
        async for each in self._reads.marks(account_id, since, until):
            chart.add(each)
        return ChartPage(buckets=chart.finish(), model_changes=await self._reads.model_changes(since, until))

    def _span(self, start: datetime, end: datetime | None) -> tuple[datetime, datetime]:
        until = end or self._clock.now() + _AHEAD
        if end is not None and start >= end:
            raise InvalidError("from must be before to, and to after the account was first known.")
        return start, until


def _told(before: Told | None, each: Told) -> ToldChange:
    change = {field.name: getattr(each.change, field.name) for field in fields(each.change)}
    parts = moved(None if before is None else before.assessment, each.assessment)
    return ToldChange(**change, moved=parts, by_model=each.change.cause in ("model", "source"))


def _mark(told: Told) -> Mark:
    change = told.change
    return Mark(change.known_at, change.score, change.band, change.cause, change.scorecard, change.version)
