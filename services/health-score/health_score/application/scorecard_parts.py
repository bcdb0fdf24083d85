"""The shape of a scorecard file, piece by piece, and how each piece becomes the domain's.

Building the domain object is part of validating a piece, so that whatever the domain refuses is told with its place.
"""

from abc import abstractmethod
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from health_score.domain.curve import Curve
from health_score.domain.scorecard import Band, Dimension, Measure, Scorecard, Target, Threshold
from health_score.domain.signals import (
    AnySignal,
    Count,
    Latest,
    Mean,
    Open,
    Recency,
    Scalar,
    Selector,
    Sum,
    Until,
)

DAY_S = 86_400.0

Choice = Scalar | None | list[Scalar | None]


def _listed(choice: Choice) -> tuple[Scalar | None, ...]:
    return tuple(choice) if isinstance(choice, list) else (choice,)


def _named(parts: Any) -> Any:
    """Each part told its own name, which is its key."""
    if not isinstance(parts, dict):
        return parts
    for key, part in parts.items():
        if isinstance(part, dict) and "name" in part:
            raise ValueError(f"{key}: its name is its key, so leave out the name inside")
    return {key: {"name": key, **part} if isinstance(part, dict) else part for key, part in parts.items()}


Named = BeforeValidator(_named)


class Part(BaseModel):
    """One piece of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @abstractmethod
    def build(self) -> object:
        """The domain's object; ValueError where it refuses."""

    @model_validator(mode="after")
    def _acceptable(self) -> Self:
        self.build()
        return self


class SelectingPart(Part):
    """What all signals have: which facts they read."""

    type: str | list[str]
    where: dict[str, Choice] = Field(default_factory=dict)

    def selector(
        self, value: str | None = None, default: float | None = None, table: dict[Scalar, float] | None = None
    ) -> Selector:
        """The selector of these facts, reading `value`."""
        types = (self.type,) if isinstance(self.type, str) else tuple(self.type)
        where = {name: _listed(choice) for name, choice in self.where.items()}
        return Selector(types, where, value, default, table)


class ReadingPart(SelectingPart):
    """A signal that reads a field of its facts."""

    value: str
    default: float | None = None
    table: dict[Scalar, float] | None = None

    def reading(self) -> Selector:
        """The selector of the facts and the field."""
        return self.selector(self.value, self.default, self.table)


class CountPart(SelectingPart):
    """`kind: count`."""

    kind: Literal["count"]
    half_life_days: float

    def build(self) -> Count:
        """The signal."""
        return Count(self.selector(), self.half_life_days)


class SumPart(ReadingPart):
    """`kind: sum`."""

    kind: Literal["sum"]
    half_life_days: float

    def build(self) -> Sum:
        """The signal."""
        return Sum(self.reading(), self.half_life_days)


class MeanPart(ReadingPart):
    """`kind: mean`."""

    kind: Literal["mean"]
    half_life_days: float
    min_weight: float = 0.1

    def build(self) -> Mean:
        """The signal."""
        return Mean(self.reading(), self.half_life_days, self.min_weight)


class RecencyPart(SelectingPart):
    """`kind: recency`."""

    kind: Literal["recency"]

    def build(self) -> Recency:
        """The signal."""
        return Recency(self.selector())


class LatestPart(ReadingPart):
    """`kind: latest`."""

    kind: Literal["latest"]
    expires_days: float | None = None

    def build(self) -> Latest:
        """The signal."""
        return Latest(self.reading(), self.expires_days)


class OpenPart(SelectingPart):
    """`kind: open`."""

    kind: Literal["open"]
    item: str
    open_when: dict[str, Scalar | list[Scalar]]
    weights: dict[str, dict[Scalar, float]] = Field(default_factory=dict)
    expires_days: float | None = None
    closed_days: float = 30.0
    open_days: float = 365.0

    def build(self) -> Open:
        """The signal."""
        open_when = {
            name: tuple(choice) if isinstance(choice, list) else (choice,)
            for name, choice in self.open_when.items()
        }
        return Open(
            select=self.selector(),
            item=self.item,
            open_when=open_when,
            weights=self.weights,
            expires_days=self.expires_days,
            closed_days=self.closed_days,
            open_days=self.open_days,
        )


class UntilPart(SelectingPart):
    """`kind: until`."""

    kind: Literal["until"]
    value: str

    def build(self) -> Until:
        """The signal."""
        return Until(self.selector(self.value))


SignalPart = Annotated[
    CountPart | SumPart | MeanPart | RecencyPart | LatestPart | OpenPart | UntilPart,
    Field(discriminator="kind"),
]


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
