"""The shape of a scorecard file: measures, dimensions, thresholds and the whole, and how each becomes the domain's."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from health_score.application.signal_parts import Part, SignalPart
from health_score.domain.curve import Curve
from health_score.domain.scorecard import Band, Dimension, Measure, Scorecard, Target, Threshold
from health_score.domain.signals import AnySignal

DAY_S = 86_400.0


def _named(parts: Any) -> Any:
    """Each part told its own name, which is its key."""
    if not isinstance(parts, dict):
        return parts
    for key, part in parts.items():
        if isinstance(part, dict) and "name" in part:
            raise ValueError(f"{key}: its name is its key, so leave out the name inside")
    return {key: {"name": key, **part} if isinstance(part, dict) else part for key, part in parts.items()}


Named = BeforeValidator(_named)


class MeasurePart(Part):
    """One measure; `curve` maps values to points."""

    name: str
    signal: SignalPart
    weight: float
    curve: dict[float, float] | None = None

    def build(self) -> Measure:
        """The measure."""
        signal: AnySignal = self.signal.build()
        return Measure(
            self.name, self.weight, signal, None if self.curve is None else Curve(tuple(self.curve.items()))
        )


class DimensionPart(Part):
    """One dimension with its measures by name."""

    name: str
    weight: float
    measures: Annotated[dict[str, MeasurePart], Named]

    def build(self) -> Dimension:
        """The dimension."""
        return Dimension(self.name, self.weight, tuple(each.build() for each in self.measures.values()))


class ThresholdPart(Part):
    """One threshold; its waits are in days, as all times of a scorecard."""

    name: str
    target: str
    direction: Literal["below", "above"]
    enter: float
    exit: float
    dwell_days: float = 0.0
    cooldown_days: float = 0.0
    min_coverage: float = 0.0

    def build(self) -> Threshold:
        """The threshold."""
        Target.parse(self.target)
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


class ScorecardPart(Part):
    """The whole file."""

    name: str
    version: int
    bands: dict[str, float]
    dimensions: Annotated[dict[str, DimensionPart], Named]
    thresholds: Annotated[dict[str, ThresholdPart], Named] = Field(default_factory=dict)

    def build(self) -> Scorecard:
        """The scorecard."""
        return Scorecard(
            name=self.name,
            version=self.version,
            dimensions=tuple(each.build() for each in self.dimensions.values()),
            bands=tuple(Band(name, low) for name, low in self.bands.items()),
            thresholds=tuple(each.build() for each in self.thresholds.values()),
        )
