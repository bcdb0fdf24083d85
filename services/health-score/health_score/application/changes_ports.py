"""What the change feed reads: changes and erasures in the order in which they can be followed without missing one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from csm_common.web.rows import Rows
from health_score.application.explaining_ports import Change


class Position(NamedTuple):
    """A place in the feed: behind this revision of this account of this transaction. Only the database can order two of them."""

    xact: int
    account_id: str
    revision: int


BEGINNING = Position(0, "", -1)


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A change of an account with its owner and team as they are now; `change` None: the account was erased."""

    position: Position
    change: Change | None
    owner: str | None
    team: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a follower wants to hear of, and may.

    `band`: changes into it or out of it. `min_change`: those that move the score by so many points at least, or the band. An
    erasure is told to whoever may see all accounts, whatever is wanted: they may hold what has to go.
    """

    rows: Rows
    band: str | None = None
    min_change: float = 0.0
    owner: str | None = None
    team: str | None = None

    def takes(self, row: FeedRow) -> bool:
        """Whether a row is told."""
        if row.change is None:
            return not self.rows.limited
        owners, teams = {self.owner, self.rows.owner} - {None}, {self.team, self.rows.team} - {None}
        return (
            owners <= {row.owner}
            and teams <= {row.team}
            and self.band in (None, row.change.band, row.change.band_before)
            and self._moved(row.change)
        )

    def _moved(self, change: Change) -> bool:
        if change.band != change.band_before or change.score is None or change.score_before is None:
            return True
        return abs(change.score - change.score_before) >= self.min_change


@dataclass(frozen=True, slots=True)
class Page:
    """What was found, how far was looked, and whether there is certainly nothing more at the moment."""

    rows: Sequence[FeedRow]
    reached: Position
    more: bool


class FeedReads(Protocol):
    """The feed in the database."""

    async def head(self) -> Position:
        """How far the feed can be read now: every transaction before has ended, so nothing can come in between any more."""
        ...

    async def read(self, after: Position, until: Position, limit: int) -> list[FeedRow]:
        """The rows behind `after` up to `until`, in order."""
        ...
