"""The fleet at a glance: how healthy its accounts are, and what moved over a window."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from csm_common.web.rows import Rows
from health_score.application.account_query import AccountFilters
from health_score.domain.assessment import Assessment, rounded

By = Literal["segment", "owner", "team", "plan"]

MOST_DRIVERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BandCount:
    """Accounts in a band (null: without a score) and their revenue, added up as told, whatever the currency."""

    band: str | None
    accounts: int
    arr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Accounts with a score from `low` (included) to `high` (left out, but for 100)."""

    low: int
    high: int
    accounts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Averages are over accounts with a score (`average`, `median`) or all (`coverage`); null where there is none."""

    accounts: int
    without_score: int
    average: float | None
    median: float | None
    coverage: float | None
    arr: float
    overrides: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The accounts that have `value` for what is grouped by; null: for whom it was never told."""

    value: str | None
    totals: Totals
    bands: list[BandCount]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """The largest groups, and how many accounts are in none of them."""

    by: By
    groups: list[Group]
    accounts_beyond: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """How many accounts went from one band to another. Null: no score, or (before) not yet an account."""

    before: str | None
    after: str | None
    accounts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A measure by what it moved: `points` of the fleet's average computed score, in `accounts` accounts."""

    measure: str
    points: float
    accounts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What moved since `since`, and how many accounts `changed` at all. Drivers compare each account's parts with those of then;
    of a very large fleet they look into `sampled` accounts, and count their points up to all."""

    since: datetime
    movements: list[Movement]
    up: list[Driver]
    down: list[Driver]
    changed: int
    sampled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A type of facts that is silent for the whole fleet: the measures that it feeds stand still since."""

    type: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The accounts that pass the filters, as of now."""

    as_of: datetime
    totals: Totals
    bands: list[BandCount]
    buckets: list[Bucket]
    groups: list[Grouping]
    window: Window
    frozen: list[Frozen]


class PartsMoved:
    """Adds up how the parts of accounts moved. `sampled` are the accounts looked into, whether or not they moved."""

    def __init__(self) -> None:
        self.sampled = 0
        self._sums: dict[str, float] = {}
        self._accounts: dict[str, int] = {}

    def add(self, before: Assessment, after: Assessment) -> None:
        """Take in one account; a measure without a part gives none."""
        for measure in before.parts.keys() | after.parts.keys():
            moved = (after.parts.get(measure) or 0.0) - (before.parts.get(measure) or 0.0)
            if moved:
                self._sums[measure] = self._sums.get(measure, 0.0) + moved
                self._accounts[measure] = self._accounts.get(measure, 0) + 1

    def drivers(self, totals: Totals) -> tuple[list[Driver], list[Driver]]:
        """What moved the average score of all accounts most, up and down, where those looked into are like all."""
        scored = totals.accounts - totals.without_score
        if not scored or not self.sampled:
            return [], []
        times = totals.accounts / self.sampled
        found = [
            Driver(
                measure=each,
                points=rounded(moved * times / scored),
                accounts=round(self._accounts[each] * times),
            )
            for each, moved in self._sums.items()
        ]
        up = sorted(
            (each for each in found if each.points > 0), key=lambda each: (-each.points, each.measure)
        )
        down = sorted(
            (each for each in found if each.points < 0), key=lambda each: (each.points, each.measure)
        )
        return up[:MOST_DRIVERS], down[:MOST_DRIVERS]


def buckets(counts: Mapping[int, int]) -> list[Bucket]:
    """Ten buckets of ten points, whether or not an account is in them."""
    return [Bucket(low=10 * n, high=10 * n + 10, accounts=counts.get(n, 0)) for n in range(10)]


@dataclass(frozen=True, slots=True)
class FleetRead:
    """What the database tells of the fleet, all of one instant."""

    totals: Totals
    bands: Sequence[BandCount]
    buckets: Mapping[int, int]
    groups: Sequence[Grouping]
    movements: Sequence[Movement]
    changed: int
    moved: PartsMoved


class FleetReads(Protocol):
    """Reads the fleet."""

    async def fleet(
        self, filters: AccountFilters, rows: Rows, by: Collection[By], since: datetime, now: datetime
    ) -> FleetRead:
        """Among the rows that may be seen, those that pass the filters."""
        ...


def fleet_of(read: FleetRead, silences: Sequence[Frozen], since: datetime, now: datetime) -> Fleet:
    """The answer."""
    up, down = read.moved.drivers(read.totals)
    return Fleet(
        as_of=now,
        totals=read.totals,
        bands=list(read.bands),
        buckets=buckets(read.buckets),
        groups=list(read.groups),
        window=Window(
            since=since,
            movements=list(read.movements),
            up=up,
            down=down,
            changed=read.changed,
            sampled=read.moved.sampled,
        ),
        frozen=list(silences),
    )
