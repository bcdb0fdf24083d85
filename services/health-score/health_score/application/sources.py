"""What the fleet guard has to know of the facts that arrive: when each type came last, and from how many accounts.

Counted in memory and written with a batch now and then; what a process that dies had not written yet is a few seconds of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.application.decoding import Decoded

WRITE_EVERY_S = 5.0


@dataclass(slots=True)
class Arrivals:
    """One type in one partition on one day (UTC): the first and the newest arrival, and whose."""

    day: date
    first_at: datetime
    last_at: datetime
    accounts: set[str] = field(default_factory=set)


class SourceRepository(Protocol):
    """The table of sources."""

    async def save(self, tx: AsyncConnection, arrivals: Sequence[tuple[str, int, Arrivals]]) -> None:
        """Write down by type and partition what arrived; the accounts of the same day are counted anew, not added."""
        ...


class Sources:
    """The arrivals that are not written yet. An import and what we tell ourselves say nothing about a source."""

    def __init__(self, repository: SourceRepository) -> None:
        self._repository = repository
        self._arrivals: dict[tuple[str, int], Arrivals] = {}
        self._written_at: datetime | None = None

    async def note(self, tx: AsyncConnection, new: Iterable[Decoded], now: datetime) -> None:
        """Count the facts of a batch; every few seconds write, in the batch's transaction."""
        today = now.date()
        for key, accounts in _told(new).items():
            known = self._arrivals.get(key)
            if known is None or known.day != today:
                known = self._arrivals[key] = Arrivals(today, now, now)
            known.last_at = now
            known.accounts |= accounts
        if self._written_at is None or (now - self._written_at).total_seconds() >= WRITE_EVERY_S:
            rows = [
                (type_, partition, each)
                for (type_, partition), each in sorted(self._arrivals.items(), key=_key)
            ]
            await self._repository.save(tx, rows)
            self._written_at = now

    def forget(self) -> None:
        """The partitions may be others', or the transaction has failed."""
        self._arrivals.clear()
        self._written_at = None


def _told(new: Iterable[Decoded]) -> dict[tuple[str, int], set[str]]:
    """By type and partition the accounts of which something live was told."""
    found: dict[tuple[str, int], set[str]] = defaultdict(set)
    for each in new:
        envelope = each.envelope
        if not (each.is_outcome or envelope.backfill):
            found[envelope.type, each.record.partition].add(envelope.subject)
    return found


def _key(item: tuple[tuple[str, int], Arrivals]) -> tuple[str, int]:
    return item[0]
