"""Why an account's score is what it is: numbers a person can add up again. `application/words` says them in sentences.

With a pencil: a value lies on a `segment` of its curve, which gives its points; points · share is what it earns of the score,
and what is earned sums to `computed`. Shares, points and parts are given to a millionth.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Literal

from health_score.domain.curve import Knot

Stands = Literal["inside", "outside", "dwelling"]
"""Where an account is with a threshold."""

Freshness = Literal["fresh", "missing", "expired", "maturing", "frozen"]
"""Whether a measure counts: fresh does, frozen does as it stood. Expired data is no longer believed, maturing not yet."""


def instant(seconds: float) -> datetime:
    """Epoch seconds as a UTC time."""
    return datetime.fromtimestamp(seconds, UTC)


def when(seconds: float) -> datetime | None:
    """The same; None for never, and for what no calendar holds."""
    try:
        return instant(seconds) if isfinite(seconds) else None
    except (OverflowError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Event:
    """A fact that a measure was read from."""

    time: datetime
    id: str
    type: str


@dataclass(frozen=True, slots=True)
class Segment:
    """The straight line between two knots (value, points) that a value lies on; beyond an end of the curve one side is None."""

    left: Knot | None
    right: Knot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureExplanation:
    """One measure. `full_share` is its share (0…1) of the score if everything were known, `share` the one it has now that the
    weight of what is unknown is spread; None: it does not count. earned + missed = 100 · share, in points of the score.

    `since` tells when it expired, froze or will be believed; `expires_at` until when it is believed. `age_days` is the age of the
    newest of `events`. `next_band_at` is the nearest value with which this measure alone would lift the computed score into the
    next band.
    """

    name: str
    title: str
    unit: str
    kind: str
    weight: float
    value: float | None
    curve: tuple[Knot, ...]
    segment: Segment | None
    points: float | None
    full_share: float
    share: float | None
    earned: float | None
    missed: float | None
    state: Freshness
    since: datetime | None
    expires_at: datetime | None
    age_days: float | None
    events: tuple[Event, ...]
    next_band_at: float | None
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionExplanation:
    """One aspect: its score by itself, and the sums over its measures."""

    name: str
    weight: float
    score: float | None
    full_share: float
    share: float
    earned: float
    missed: float
    measures: tuple[MeasureExplanation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnockoutExplanation:
    """A knock-out. While in force the score is at most `highest`; `cost` is by how much that is below the computed score."""

    name: str
    target: str
    direction: Literal["below", "above"]
    level: float
    value: float | None
    band: str
    highest: float
    in_force: bool
    cost: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideExplanation:
    """A person's word that counts until it ends."""

    score: float | None
    band: str | None
    reason: str
    by: str | None
    said_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdExplanation:
    """Where the account stands with a threshold. Dwelling: its condition holds `since`, and it is entered at `enters_at` if that
    goes on. `distance` is how far the target is from `level`, at which the threshold would be left (inside) or entered."""

    name: str
    target: str
    direction: Literal["below", "above"]
    value: float | None
    stands: Stands
    since: datetime | None
    enters_at: datetime | None
    level: float
    distance: float | None
    min_coverage: float
    enough_coverage: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that changes: what kind of thing, its name, and how it stands before and after."""

    kind: Literal["band", "threshold", "knockout", "override", "measure", "backfill"]
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """The next instant at which something changes if nothing arrives, the score then, and what changes."""

    at: datetime
    score: float | None
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """The measure that could add most: up to `gain` points of the score, with its value at `best_at`.

    `next_band` is the band above the computed score, None in the highest; `next_band_at` the value that would reach it by itself.
    """

    measure: str
    gain: float
    best_at: float
    next_band: str | None
    next_band_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The whole. `computed` is what the measures give, `capped` that after knock-outs, `score` that after the override.

    `coverage` is the sum of `full_share` over the measures with points. The band holds scores `band_from` ≤ score < `band_below`
    (None: 100 is in it). Of a time gone by only what was told then is known: no events, thresholds or future.
    """

    account_id: str
    at: datetime
    scorecard: str
    version: int
    score: float | None
    computed: float | None
    capped: float | None
    band: str | None
    band_from: float | None
    band_below: float | None
    coverage: float
    dimensions: tuple[DimensionExplanation, ...]
    knockouts: tuple[KnockoutExplanation, ...]
    overridden: bool
    override: OverrideExplanation | None
    thresholds: tuple[ThresholdExplanation, ...]
    foreseen: Foreseen | None
    helps_most: Help | None
    backfilling: bool

    @property
    def measures(self) -> tuple[MeasureExplanation, ...]:
        """All measures, in the order of the card."""
        return tuple(measure for dimension in self.dimensions for measure in dimension.measures)
