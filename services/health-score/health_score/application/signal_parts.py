"""The shape of a signal in a scorecard file, kind by kind, and how each becomes the domain's.

Building the domain object is part of validating a piece, so that whatever the domain refuses is told with its place.
"""

from abc import abstractmethod
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from health_score.domain.signals import Count, Latest, Mean, Open, Recency, Scalar, Selector, Sum, Until

Choice = Scalar | None | list[Scalar | None]


def _listed(choice: Choice) -> tuple[Scalar | None, ...]:
    return tuple(choice) if isinstance(choice, list) else (choice,)


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
