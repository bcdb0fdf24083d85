"""HistoryReads in memory."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from health_score.application.explaining_ports import CrossingRow, CrossingsAsked, Mark, Told
from health_score.application.model_ports import ModelChange
from health_score.domain.evaluation import CauseKind


@dataclass
class MemoryHistories:
    """What was told of one account, oldest first."""

    told: list[Told] = field(default_factory=list)
    models: list[ModelChange] = field(default_factory=list)

    async def at(self, account_id: str, time: datetime) -> Told | None:
        """The last change known by `time`."""
        return next((each for each in reversed(self.told) if each.change.known_at <= time), None)

    async def first(self, account_id: str) -> datetime | None:
        """When anything was known first."""
        return self.told[0].change.known_at if self.told else None

    async def before(self, account_id: str, revision: int) -> Told | None:
        """The last change before this one."""
        return next((each for each in reversed(self.told) if each.change.revision < revision), None)

    async def page(
        self, account_id: str, start: datetime, end: datetime, after: int, limit: int
    ) -> list[Told]:
        """The changes behind the revision."""
        return [
            each for each in self.told if start <= each.change.known_at < end and each.change.revision > after
        ][:limit]

    async def marks(self, account_id: str, start: datetime, end: datetime) -> AsyncIterator[Mark]:
        """The changes in that time."""
        for told in await self.page(account_id, start, end, -1, 1_000):
            each = told.change
            yield Mark(each.known_at, each.score, each.band, each.cause, each.scorecard, each.version)

    async def by_cause(self, account_id: str, after: int, until: datetime) -> Mapping[CauseKind, float]:
        """The points by cause."""
        found: dict[CauseKind, float] = {}
        for told in self.told:
            each = told.change
            if each.revision > after and each.known_at <= until and each.score is not None:
                found[each.cause] = found.get(each.cause, 0.0) + each.score - (each.score_before or 0.0)
        return found

    async def model_changes(self, start: datetime, end: datetime) -> list[ModelChange]:
        """Those in that time."""
        return [each for each in self.models if start <= each.at <= end]

    async def crossings(
        self, asked: CrossingsAsked, before: tuple[datetime, int, str] | None, limit: int
    ) -> list[CrossingRow]:
        """Not asked for here."""
        raise NotImplementedError
