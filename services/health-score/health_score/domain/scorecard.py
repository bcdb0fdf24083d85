"""The card an account is judged by: dimensions of weighted measures, bands over 0…100, knock-outs, thresholds. Immutable."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf, isfinite
from typing import Literal

from health_score.domain.curve import Curve
from health_score.domain.signals import AnyReader

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST = 100
LIGHTEST, HEAVIEST = 1e-12, 1e12
"""Weights between which shares can be reckoned: beyond, sums and products would leave the range of a float."""
HUNDREDTH = 0.01
"""How far below the next band a score is that a knock-out or an override holds down."""


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise ValueError(sentence)


def _require_name(kind: str, name: str) -> None:
    _require(
        bool(_NAME.fullmatch(name)),
        f"{kind} {name!r}: a name is lower-case letters, digits and _, a letter first",
    )
    _require(len(name) <= _LONGEST, f"{kind} {name[:20]}…: a name has {_LONGEST} characters at most")


def _require_weight(place: str, weight: float) -> None:
    _require(LIGHTEST <= weight <= HEAVIEST, f"{place}: weight must be from {LIGHTEST:g} to {HEAVIEST:g}")


def _require_unique(kind: str, names: Iterable[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    _require(not twice, f"{kind} {', '.join(twice)}: the name is given more than once")


@dataclass(frozen=True, slots=True)
class Measure:
    """A signal read through a curve. One of weight 0 is only watched, and may do without a curve.

    `title` and `unit` are for people: "Days since anybody used anything", "days".
    """

    name: str
    weight: float
    signal: AnyReader
    curve: Curve | None
    title: str = ""
    unit: str = ""

    def __post_init__(self) -> None:
        _require_name("measure", self.name)
        _require(isfinite(self.weight) and self.weight >= 0, f"measure {self.name}: weight must be 0 or more")
        if self.weight > 0:
            _require_weight(f"measure {self.name}", self.weight)
        _require(
            self.curve is not None or self.weight == 0,
            f"measure {self.name}: a measure with a weight needs a curve",
        )


@dataclass(frozen=True, slots=True)
class Dimension:
    """One aspect of an account's health."""

    name: str
    weight: float
    measures: tuple[Measure, ...]

    def __post_init__(self) -> None:
        _require_name("dimension", self.name)
        _require(isfinite(self.weight) and self.weight > 0, f"dimension {self.name}: weight must be above 0")
        _require_weight(f"dimension {self.name}", self.weight)
        _require(
            any(measure.weight > 0 for measure in self.measures),
            f"dimension {self.name}: at least one measure needs a weight above 0",
        )


@dataclass(frozen=True, slots=True)
class Band:
    """Scores from `low` up to the next band's `low`."""

    name: str
    low: float

    def __post_init__(self) -> None:
        _require(
            bool(self.name.strip()) and self.name.isprintable() and len(self.name) <= _LONGEST,
            f"band {self.name[:20]!r}: a name is 1 to {_LONGEST} characters that can be printed",
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What a threshold watches: `score`, `coverage`, `dimension:x` (points) or `measure:x` (its raw value)."""

    kind: Literal["score", "coverage", "dimension", "measure"]
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> "Target":
        """The target a text names; ValueError if it names none."""
        kind, _, name = text.partition(":")
        if kind in ("score", "coverage") and not name and text == kind:
            return cls("score" if kind == "score" else "coverage")
        if kind in ("dimension", "measure") and name:
            return cls("dimension" if kind == "dimension" else "measure", name)
        raise ValueError(f"target {text!r} is none of score, coverage, dimension:<name>, measure:<name>")


SCORE = Target("score")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A watch on one number: below, it is entered under `enter` and left at `exit` or over; above, the mirror image.

    Entered only after the condition held for `dwell_s` seconds, only with a coverage of at least `min_coverage`, and not
    within `cooldown_s` seconds of having been left.
    """

    name: str
    target: str
    enter: float
    exit: float
    direction: Literal["below", "above"]
    dwell_s: float = 0.0
    min_coverage: float = 0.0
    cooldown_s: float = 0.0

    def __post_init__(self) -> None:
        place = f"threshold {self.name}"
        _require_name("threshold", self.name)
        _require(isfinite(self.enter) and isfinite(self.exit), f"{place}: enter and exit must be finite")
        _require(self.direction in ("below", "above"), f"{place}: direction must be below or above")
        if self.direction == "below":
            _require(self.exit >= self.enter, f"{place}: exit must be at enter or above it")
        else:
            _require(self.exit <= self.enter, f"{place}: exit must be at enter or below it")
        _require(0 <= self.dwell_s < float("inf"), f"{place}: dwell must be 0 or more seconds")
        _require(0 <= self.cooldown_s < float("inf"), f"{place}: cooldown must be 0 or more seconds")
        _require(0 <= self.min_coverage <= 1, f"{place}: min_coverage must be from 0 to 1")


@dataclass(frozen=True, slots=True)
class Knockout:
    """While `target` is below (or above) `level`, the account is at most in `band`, whatever its score says."""

    name: str
    target: str
    level: float
    direction: Literal["below", "above"]
    band: str
    reason: str = ""

    def __post_init__(self) -> None:
        _require_name("knock-out", self.name)
        _require(isfinite(self.level), f"knock-out {self.name}: level must be finite")
        _require(
            self.direction in ("below", "above"), f"knock-out {self.name}: direction must be below or above"
        )

    def holds(self, value: float | None) -> bool:
        """Whether it is in force at a value; what is not known knocks nobody out."""
        if value is None:
            return False
        return value < self.level if self.direction == "below" else value > self.level


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One version of the model. Bands are given lowest first and begin at 0; they end at 100.

    `applies_to` is the condition on an account (in the language of the application; None: every account), and where several
    cards apply, the one with the greatest `priority` judges.
    """

    name: str
    version: int
    dimensions: tuple[Dimension, ...]
    bands: tuple[Band, ...]
    thresholds: tuple[Threshold, ...] = ()
    knockouts: tuple[Knockout, ...] = ()
    applies_to: str | None = None
    priority: int = 0
    title: str = ""
    lows: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lows", tuple(band.low for band in self.bands))
        _require_name("scorecard", self.name)
        _require(self.version >= 1, f"scorecard {self.name}: version must be 1 or more")
        _require(bool(self.dimensions), f"scorecard {self.name}: at least one dimension is needed")
        _require_unique("dimension", (dimension.name for dimension in self.dimensions))
        _require_unique("measure", (measure.name for measure in self.measures))
        _require_unique("threshold", (threshold.name for threshold in self.thresholds))
        _require_unique("knock-out", (knockout.name for knockout in self.knockouts))
        self._check_bands()
        for threshold in self.thresholds:
            self._check_target(f"threshold {threshold.name}", threshold.target)
        for knockout in self.knockouts:
            self._check_knockout(knockout)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All measures, in the order of the card."""
        return tuple(measure for dimension in self.dimensions for measure in dimension.measures)

    def band(self, score: float) -> str:
        """The name of the band a score lies in."""
        return self.bands[bisect_right(self.lows, score) - 1].name

    def band_span(self, score: float) -> tuple[float, float]:
        """The scores low ≤ score < high that share a score's band; the highest band has no upper end."""
        at = bisect_right(self.lows, score)
        return self.lows[at - 1], self.lows[at] if at < len(self.lows) else inf

    def lowest(self, band: str) -> float | None:
        """The score a band begins at; None if there is no such band."""
        return next((each.low for each in self.bands if each.name == band), None)

    def highest(self, band: str) -> float | None:
        """The greatest score (in hundredths) of a band; None if there is no such band."""
        low = self.lowest(band)
        if low is None:
            return None
        _, end = self.band_span(low)
        return 100.0 if end == inf else end - HUNDREDTH

    def _check_bands(self) -> None:
        _require_unique("band", (band.name for band in self.bands))
        lows = self.lows
        _require(bool(lows) and lows[0] == 0, "bands: the lowest band must begin at 0")
        _require(
            all(b - a >= HUNDREDTH for a, b in pairwise(lows)),
            "bands: each must begin above the one before, by a hundredth at least",
        )
        _require(lows[-1] < 100, "bands: the highest band must begin below 100")

    def _check_knockout(self, knockout: Knockout) -> None:
        place = f"knock-out {knockout.name}"
        self._check_target(place, knockout.target)
        _require(
            Target.parse(knockout.target).kind in ("measure", "dimension"),
            f"{place}: target must be dimension:<name> or measure:<name>",
        )
        _require(
            knockout.band in {band.name for band in self.bands[:-1]},
            f"{place}: band must be one below the highest, so one of {', '.join(band.name for band in self.bands[:-1])}",
        )

    def _check_target(self, place: str, text: str) -> None:
        try:
            target = Target.parse(text)
        except ValueError as refused:
            raise ValueError(f"{place}: {refused}") from None
        known = {
            "dimension": [dimension.name for dimension in self.dimensions],
            "measure": [measure.name for measure in self.measures],
        }.get(target.kind, [""])
        _require(
            target.name in known,
            f"{place}: there is no {target.kind} {target.name!r}; there are {', '.join(known)}",
        )
