"""The shape of a signal in a scorecard file, kind by kind, and how each becomes the domain's."""

from abc import abstractmethod
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from health_score.application.scorecard_fields import Condition, Part, Types, Values, Word
from health_score.domain.signals import (
    ActiveUsers,
    AnyReader,
    AnySignal,
    Attainment,
    Count,
    Latest,
    Mean,
    Open,
    Ratio,
    Recency,
    Selector,
    Sum,
    Trend,
    Until,
)


class SignalBase(Part):
    """What all kinds have."""

    @abstractmethod
    def build(self) -> AnyReader:
        """The domain's signal; ValueError where it refuses."""

    @model_validator(mode="after")
    def _acceptable(self) -> Self:
        self.build()
        return self


class SelectingPart(SignalBase):
    """What all signals but `ratio` have: which facts they read."""

    type: Types
    """The event type, or several: csm.usage.recorded."""
    where: dict[str, Condition] = Field(default_factory=dict)
    """Conditions on fields of the event, all of which have to hold."""

    @abstractmethod
    def build(self) -> AnySignal:
        """The domain's signal; ValueError where it refuses."""

    def selector(
        self,
        value: str | None = None,
        default: float | None = None,
        table: dict[Word, float] | None = None,
    ) -> Selector:
        """The selector of these facts, reading `value`."""
        return Selector(tuple(self.type), self.where, value, default, table)


class ReadingPart(SelectingPart):
    """A signal that reads a field of its facts."""

    value: str
    """The field that is read; true and false are 1 and 0."""
    default: float | None = None
    """Its number where it is absent; without one such an event does not count."""
    table: dict[Word, float] | None = None
    """What words are worth: {paid: 100, failed: 0}."""

    def reading(self) -> Selector:
        """The selector of the facts and the field."""
        return self.selector(self.value, self.default, self.table)


class CountPart(SelectingPart):
    """How many events there were lately: Σ 2^(-age / half-life)."""

    kind: Literal["count"]
    half_life_days: float
    """After so many days an event counts half."""

    def build(self) -> Count:
        """The signal."""
        return Count(self.selector(), self.half_life_days)


class SumPart(ReadingPart):
    """How much there was lately: Σ value · 2^(-age / half-life)."""

    kind: Literal["sum"]
    half_life_days: float
    """After so many days an amount counts half."""

    def build(self) -> Sum:
        """The signal."""
        return Sum(self.reading(), self.half_life_days)


class MeanPart(ReadingPart):
    """The average of answers, the recent counting more: Σ value · w / Σ w with w = 2^(-age / half-life)."""

    kind: Literal["mean"]
    half_life_days: float
    """After so many days an answer weighs half."""
    min_weight: float = 0.1
    """Unknown once all answers together weigh less; 1 is one answer given just now."""

    def build(self) -> Mean:
        """The signal."""
        return Mean(self.reading(), self.half_life_days, self.min_weight)


class TrendPart(SelectingPart):
    """How much there is lately against the account's own habit: 1 is as always, 0.5 half as much."""

    kind: Literal["trend"]
    value: str | None = None
    """The field that tells how much; without it every event counts 1."""
    default: float | None = None
    """Its number where it is absent."""
    fast_days: float = 7.0
    """Half-life of what counts as lately."""
    slow_days: float = 28.0
    """Half-life of the habit, at least twice fast_days."""
    mature_days: float | None = None
    """So long after the first event there is no habit yet; slow_days unless told."""

    def build(self) -> Trend:
        """The signal."""
        select = self.selector(self.value, self.default)
        return Trend(select, self.fast_days, self.slow_days, self.mature_days)


class ActiveUsersPart(SelectingPart):
    """How many different people did something lately, each counting 2^(-age of their latest event / half-life)."""

    kind: Literal["active_users"]
    half_life_days: float
    """After so many days of silence a person counts half."""
    item: str = "user_id"
    """The field that tells who: people, or features, or whatever is to be told apart."""
    exact_up_to: int = 512
    """Exact up to so many different ones; beyond, an estimate (±4 % at 512)."""

    def build(self) -> ActiveUsers:
        """The signal."""
        return ActiveUsers(self.selector(), self.half_life_days, self.item, self.exact_up_to)


class RecencyPart(SelectingPart):
    """Days since the latest event."""

    kind: Literal["recency"]

    def build(self) -> Recency:
        """The signal."""
        return Recency(self.selector())


class LatestPart(ReadingPart):
    """What the latest event said, until it is too old to be believed."""

    kind: Literal["latest"]
    expires_days: float | None = None
    """Believed for so long; for ever unless told."""

    def build(self) -> Latest:
        """The signal."""
        return Latest(self.reading(), self.expires_days)


class OpenPart(SelectingPart):
    """What is open right now, such as tickets or unpaid invoices: Σ weight of the open items."""

    kind: Literal["open"]
    item: str
    """The field that holds the item's id."""
    open_when: dict[str, Values]
    """An item is open while each of these fields has one of its values."""
    weights: dict[str, dict[Word, float]] = Field(default_factory=dict)
    """Factors by field and value; an item weighs their product."""
    expires_days: float | None = None
    """"Nothing is open" is believed for so long after the newest event; for ever unless told."""
    closed_days: float = 30.0
    """A closing is remembered for so long."""
    open_days: float = 365.0
    """What nobody repeats for so long is forgotten."""

    def build(self) -> Open:
        """The signal."""
        return Open(
            select=self.selector(),
            item=self.item,
            open_when=self.open_when,
            weights=self.weights,
            expires_days=self.expires_days,
            closed_days=self.closed_days,
            open_days=self.open_days,
        )


class UntilPart(SelectingPart):
    """Days until the date that the latest event told; negative once it has passed."""

    kind: Literal["until"]
    value: str
    """The field that holds the date."""

    def build(self) -> Until:
        """The signal."""
        return Until(self.selector(self.value))


class AttainmentPart(SelectingPart):
    """How far the customer is on the way to their goals, against the plan: 0…1."""

    kind: Literal["attainment"]
    item: str = "goal_id"
    """The field that holds the goal's id."""
    unconfirmed: float = 0.8
    """What a goal is worth that the customer has not confirmed, 0…1."""
    expires_days: float | None = None
    """Unknown so long after the newest news of any goal; never unless told."""
    whole: bool = False
    """Against the whole of each goal, whatever its plan expects by now: 1 is all of them reached."""

    def build(self) -> Attainment:
        """The signal."""
        return Attainment(self.selector(), self.item, self.unconfirmed, self.expires_days, self.whole)


BasePart = Annotated[
    CountPart
    | SumPart
    | MeanPart
    | TrendPart
    | ActiveUsersPart
    | RecencyPart
    | LatestPart
    | OpenPart
    | UntilPart
    | AttainmentPart,
    Field(discriminator="kind"),
]


class RatioPart(SignalBase):
    """One signal against another: `of` / `to`, such as seats used of seats bought."""

    kind: Literal["ratio"]
    of: BasePart
    """What is divided."""
    to: BasePart
    """What it is divided by."""

    def build(self) -> Ratio:
        """The signal."""
        return Ratio(self.of.build(), self.to.build())


SignalPart = Annotated[
    CountPart
    | SumPart
    | MeanPart
    | TrendPart
    | ActiveUsersPart
    | RecencyPart
    | LatestPart
    | OpenPart
    | UntilPart
    | AttainmentPart
    | RatioPart,
    Field(discriminator="kind"),
]
