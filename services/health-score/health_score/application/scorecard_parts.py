"""The shape of a scorecard file: dimensions, thresholds, knock-outs and the whole, and how each becomes the domain's."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from health_score.application.scorecard_fields import Part
from health_score.application.signal_parts import SignalPart
from health_score.domain.curve import Curve
from health_score.domain.forms import DAY_S
from health_score.domain.scorecard import Band, Dimension, Knockout, Measure, Scorecard, Threshold


def _named(parts: Any) -> Any:
    """Each part told its own name, which is its key."""
    if not isinstance(parts, dict):
        return parts
    for key, part in parts.items():
        if isinstance(part, dict) and "name" in part:
            raise ValueError(f"{key}: its name is its key, so leave out the name inside")
    return {key: {"name": key, **part} if isinstance(part, dict) else part for key, part in parts.items()}


def _drawn(curve: dict[float, float]) -> dict[float, float]:
    Curve(tuple(curve.items()))
    return curve


Named = BeforeValidator(_named)
Name = SkipJsonSchema[str]
CurvePart = Annotated[dict[float, float], AfterValidator(_drawn)]


class MeasurePart(Part):
    """A signal read through a curve."""

    name: Name
    title: str = ""
    """What people call it: Days since anybody used anything."""
    unit: str = ""
    """The unit of its number: days, uses, tickets."""
    signal: SignalPart
    """How facts become a number."""
    weight: float
    """Relative to the other measures of the dimension; 0: only watched."""
    curve: CurvePart | None = None
    """How the number becomes points: {0: 100, 7: 65}, straight between, level beyond. May be left out at weight 0."""

    def build(self) -> Measure:
        """The measure."""
        curve = None if self.curve is None else Curve(tuple(self.curve.items()))
        return Measure(self.name, self.weight, self.signal.build(), curve, self.title, self.unit)

    @model_validator(mode="after")
    def _acceptable(self) -> Self:
        self.build()
        return self


class DimensionPart(Part):
    """One aspect of an account's health."""

    name: Name
    weight: float
    """Relative to the other dimensions."""
    measures: Annotated[dict[str, MeasurePart], Named]
    """By name."""

    def build(self) -> Dimension:
        """The dimension."""
        return Dimension(self.name, self.weight, tuple(each.build() for each in self.measures.values()))

    @model_validator(mode="after")
    def _acceptable(self) -> Self:
        self.build()
        return self


class ThresholdPart(Part):
    """A watch on one number, announced when it is entered and when it is left."""

    name: Name
    target: str
    """score, coverage, dimension:<name> (its points) or measure:<name> (its number)."""
    direction: Literal["below", "above"]
    enter: float
    """Entered when the number is beyond this."""
    exit: float
    """Left when it is back at this; apart from `enter`, so that nothing flutters."""
    dwell_days: float = 0.0
    """Entered only once the condition has held for so long."""
    cooldown_days: float = 0.0
    """Not entered within so long of having been left."""
    min_coverage: float = 0.0
    """Entered only when so much of all weight (0…1) is backed by data."""

    def build(self) -> Threshold:
        """The threshold; its waits are in days, as all times of a scorecard."""
        return Threshold(
            name=self.name,
            target=self.target,
            enter=self.enter,
            exit=self.exit,
            direction=self.direction,
            dwell_s=self.dwell_days * DAY_S,
            min_coverage=self.min_coverage,
            cooldown_s=self.cooldown_days * DAY_S,
        )

    @model_validator(mode="after")
    def _acceptable(self) -> Self:
        self.build()
        return self


class KnockoutPart(Part):
    """While its condition holds, the account is at most in `band`, whatever the score says."""

    name: Name
    target: str
    """measure:<name> (its number) or dimension:<name> (its points)."""
    direction: Literal["below", "above"]
    level: float
    """In force while the number is beyond this; what is not known knocks nobody out."""
    band: str
    """The best band that is left."""
    reason: str = ""
    """For people: why."""

    def build(self) -> Knockout:
        """The knock-out."""
        return Knockout(self.name, self.target, self.level, self.direction, self.band, self.reason)

    @model_validator(mode="after")
    def _acceptable(self) -> Self:
        self.build()
        return self


class ScorecardPart(Part):
    """A scorecard: how facts about an account become a score from 0 to 100, and which changes are told."""

    name: str
    version: int | None = Field(default=None, ge=1)
    """Versions are immutable: the next one has the next number. Left out, it is given."""
    title: str = ""
    """For people."""
    applies_to: str | None = None
    """CEL over `account`, the attributes: account.segment == "enterprise". Left out: every account."""
    priority: int = 0
    """Of several cards that apply, the one with the greatest judges."""
    bands: dict[str, float]
    """Names by the score they begin at, the lowest first and at 0."""
    dimensions: Annotated[dict[str, DimensionPart], Named]
    """By name."""
    thresholds: Annotated[dict[str, ThresholdPart], Named] = Field(default_factory=dict)
    """By name."""
    knockouts: Annotated[dict[str, KnockoutPart], Named] = Field(default_factory=dict)
    """By name."""

    def build(self, version: int) -> Scorecard:
        """The scorecard; `version` where the file tells none. ValueError where its parts do not fit each other."""
        return Scorecard(
            name=self.name,
            version=self.version or version,
            dimensions=tuple(each.build() for each in self.dimensions.values()),
            bands=tuple(Band(name, low) for name, low in self.bands.items()),
            thresholds=tuple(each.build() for each in self.thresholds.values()),
            knockouts=tuple(each.build() for each in self.knockouts.values()),
            applies_to=self.applies_to,
            priority=self.priority,
            title=self.title,
        )
