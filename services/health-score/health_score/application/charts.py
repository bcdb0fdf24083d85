"""A history for charts: even stretches of time, each with the last, least, greatest and mean score, carried over where nothing
happened. Between two changes an account is taken to stand as it was told last."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

from csm_common.errors import InvalidError
from health_score.application.explaining_ports import Mark

_WIDTH = re.compile(r"([1-9][0-9]{0,3})([mhdw])")
_UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MONDAY_S = 4 * 86_400  # 1970-01-05
MOST_BUCKETS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """start ≤ t < end. `score` and `band` are those at its end (or now), `mean` weighs scores by how long they held; None where
    no score was known in it. `changes` counts what was told in it; `by_model` says that some of that was the model's doing,
    so that a step is not read as the customer's behaviour. `scorecard` and `version` judged at its end."""

    start: datetime
    end: datetime
    score: float | None
    band: str | None
    least: float | None
    greatest: float | None
    mean: float | None
    changes: int
    by_model: bool
    scorecard: str | None
    version: int | None


def width_of(resolution: str) -> timedelta:
    """15m, 1h, 1d or 1w as a span of time; InvalidError for anything else."""
    told = _WIDTH.fullmatch(resolution)
    if told is None:
        raise InvalidError(
            f"The resolution {resolution[:20]!r} is none of raw, 15m, 1h, 1d, 1w and the like."
        )
    return timedelta(seconds=int(told[1]) * _UNITS[told[2]])


def aligned(time: datetime, width: timedelta) -> datetime:
    """The start of the stretch that holds `time`, in UTC; weeks begin on Mondays."""
    whole = width.total_seconds()
    offset = _MONDAY_S if whole % _UNITS["w"] == 0 else 0
    return time - timedelta(seconds=(time.timestamp() - offset) % whole)


@dataclass(slots=True)
class Chart:
    """Takes marks in the order of time, the one in force at `start` first if there is one; then gives the buckets."""

    start: datetime
    end: datetime
    width: timedelta
    last: Mark | None = None
    buckets: list[Bucket] = field(default_factory=list)
    _reached: datetime = field(init=False)
    _least: float = inf
    _greatest: float = -inf
    _area: float = 0.0
    _known_s: float = 0.0
    _changes: int = 0
    _by_model: bool = False

    def __post_init__(self) -> None:
        if self.end > self.start + MOST_BUCKETS * self.width:
            raise InvalidError(
                f"That would be more than {MOST_BUCKETS} stretches; ask for a shorter time or a coarser resolution."
            )
        self._reached = self.start
        self._see()

    def add(self, mark: Mark) -> None:
        """The next change."""
        self._advance(mark.at)
        self.last = mark
        self._changes += 1
        self._by_model = self._by_model or mark.cause in ("model", "source")
        self._see()

    def finish(self) -> list[Bucket]:
        """All buckets up to the end."""
        self._advance(self.end)
        if self._reached > self._begun or self._changes:
            self._close(self._begun + self.width)
        return self.buckets

    @property
    def _begun(self) -> datetime:
        return self.start + len(self.buckets) * self.width

    def _see(self) -> None:
        if self.last is not None and self.last.score is not None:
            self._least, self._greatest = (
                min(self._least, self.last.score),
                max(self._greatest, self.last.score),
            )

    def _advance(self, to: datetime) -> None:
        while self._begun + self.width <= to:
            self._hold(self._begun + self.width)
            self._close(self._reached)
        self._hold(to)

    def _hold(self, to: datetime) -> None:
        """The last score holds up to here."""
        if self.last is not None and self.last.score is not None and to > self._reached:
            seconds = (to - self._reached).total_seconds()
            self._area += self.last.score * seconds
            self._known_s += seconds
        self._reached = max(self._reached, to)

    def _close(self, end: datetime) -> None:
        last, known = self.last, self._least <= self._greatest
        self.buckets.append(
            Bucket(
                start=self._begun,
                end=end,
                score=None if last is None else last.score,
                band=None if last is None else last.band,
                least=self._least if known else None,
                greatest=self._greatest if known else None,
                mean=round(self._area / self._known_s, 6) if self._known_s else None,
                changes=self._changes,
                by_model=self._by_model,
                scorecard=None if last is None else last.scorecard,
                version=None if last is None else last.version,
            )
        )
        self._least, self._greatest, self._area, self._known_s = inf, -inf, 0.0, 0.0
        self._changes, self._by_model = 0, False
        self._see()
