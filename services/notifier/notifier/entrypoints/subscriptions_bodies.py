"""What may be sent to /v1/subscriptions, checked before anything is done."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from notifier.application.feed_desk import Draft
from notifier.application.feed_ports import SubscriptionView, Wants
from notifier.domain.subscriptions import EVENTS, Event, Filters

_NO_NUL = r"^[^\x00]*$"
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_NUL)]
Words = Annotated[tuple[Word, ...], Field(max_length=1_000)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_NUL)]
Url = Annotated[str, Field(min_length=1, max_length=2_000, pattern=_NO_NUL)]
Attributes = Annotated[tuple[Word, ...], Field(max_length=50)]


class FiltersBody(BaseModel):
    """What to be told of; what is left out is no condition."""

    model_config = ConfigDict(extra="forbid")

    events: Annotated[tuple[Event, ...], Field(min_length=1, description="Kinds of change.")] = EVENTS
    min_change: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            allow_inf_nan=False,
            description="In points, from the score told to this subscription last.",
        ),
    ] = 1.0
    bands: Annotated[Words, Field(description="Bands entered.")] = ()
    thresholds: Annotated[Words, Field(description="Thresholds by name.")] = ()
    directions: Annotated[tuple[Literal["entered", "left"], ...], Field(description="Of crossings.")] = ()
    accounts: Annotated[Words, Field(description="Accounts by id.")] = ()
    segments: Words = ()
    plans: Words = ()
    owners: Words = ()
    teams: Words = ()
    where: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=4_000,
            pattern=_NO_NUL,
            description="A condition in CEL over account (its attributes), account_id, score, band, coverage.",
        ),
    ] = None

    def filters(self) -> Filters:
        """In the domain's terms."""
        return Filters(**self.model_dump())


class NewSubscription(BaseModel):
    """A subscription to be."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    url: Annotated[Url, Field(description="Where to post: https, of a public address.")]
    filters: FiltersBody = Field(default_factory=FiltersBody)
    include_model_changes: Annotated[
        bool,
        Field(description="Tell of changes by a new model, and of accounts whose history is being imported."),
    ] = False
    attributes: Annotated[Attributes, Field(description="Of the account, to go into each message.")] = (
        Wants().attributes
    )

    def wants(self) -> Wants:
        """In the application's terms."""
        return Wants(
            filters=self.filters.filters(),
            include_model_changes=self.include_model_changes,
            attributes=self.attributes,
        )


class SubscriptionChange(BaseModel):
    """What is to change; what is left out stays. Within `filters` each member by itself."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    url: Url | None = None
    filters: FiltersBody | None = None
    include_model_changes: bool | None = None
    attributes: Attributes | None = None

    def draft(self) -> Callable[[SubscriptionView], Draft]:
        """Makes what is known into what it shall be."""

        def change(known: SubscriptionView) -> Draft:
            told = {} if self.filters is None else self.filters.model_dump(exclude_unset=True)
            model = (
                known.include_model_changes
                if self.include_model_changes is None
                else self.include_model_changes
            )
            wants = Wants(
                filters=Filters(**(asdict(known.filters) | told)),
                include_model_changes=model,
                attributes=known.attributes if self.attributes is None else self.attributes,
            )
            return Draft(name=self.name, url=self.url, wants=wants)

        return change


class Rotation(BaseModel):
    """How long the old secrets sign beside the new one."""

    model_config = ConfigDict(extra="forbid")

    overlap_h: Annotated[
        float | None, Field(ge=0, le=720, allow_inf_nan=False, description="24 unless told.")
    ] = None


class Disabling(BaseModel):
    """Why a subscription is disabled."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=500, pattern=_NO_NUL)] = "by hand"


class Enabling(BaseModel):
    """What becomes of the deliveries that wait."""

    model_config = ConfigDict(extra="forbid")

    waiting: Literal["send", "drop"] = "send"
