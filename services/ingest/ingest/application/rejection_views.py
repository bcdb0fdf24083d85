"""What people see of rejections, which of them they ask for, and the port that finds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

Status = Literal["open", "replayed", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionView:
    """A message that is not on the log, and why. `times` is how often it came; `body` is the message, as JSON where it is JSON.

    `context` is what its envelope said of it, such as the line of an import. `replayed_at` is when it was taken after all.
    """

    id: str
    source: str
    format: str
    code: str
    reason: str
    message_id: str | None
    times: int
    received_at: datetime
    last_seen_at: datetime
    replayed_at: datetime | None
    context: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionFilter:
    """All that is told must hold; `since` and `until` bound the time of receipt."""

    source: str | None = None
    code: str | None = None
    format: str | None = None
    status: Status = "open"
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionCount:
    """Open rejections of one source with one code; `times` counts a message as often as it came."""

    source: str
    code: str
    rejections: int
    times: int
    last_seen_at: datetime


ListKey = tuple[datetime, str]
"""Where a page ends: since when the rejection is listed, and its id."""


class RejectionReads(Protocol):
    """The table of rejections as people see it; what waits for its account is there once it has waited long enough."""

    async def page(
        self, wanted: RejectionFilter, now: datetime, *, before: ListKey | None, limit: int
    ) -> Sequence[tuple[ListKey, RejectionView]]:
        """Rejections with the keys that pages are cut by, the latest first."""
        ...

    async def one(self, id: str, now: datetime) -> RejectionView | None:
        """The rejection of that id."""
        ...

    async def counts(self, now: datetime) -> Sequence[RejectionCount]:
        """How many are open, by source and code, most first."""
        ...
