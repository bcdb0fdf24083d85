"""What CS tooling can ask of the accounts: filters, order and fields, in the words of the REST API."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

# PostgreSQL has no NUL in a text, so nothing that holds one can be found.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=500)]
Texts = Annotated[list[Text], Field(max_length=50)]
Attribute = Annotated[str, StringConstraints(pattern=r"^[^\x00:]+:[^\x00]*$", max_length=500)]
Score = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Change = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
Days = Annotated[float, Field(gt=0, le=731, allow_inf_nan=False)]
Instant = Annotated[
    AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(2200, 1, 1, tzinfo=UTC))
]

Sort = Literal[
    "account_id", "-account_id", "score", "-score", "change", "-change", "coverage", "-coverage",
    "name", "-name", "renewal_date", "-renewal_date", "arr", "-arr",
]  # fmt: skip


class AccountFilters(BaseModel):
    """Which accounts; all that are told must hold. Of several values for one name any may."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    band: Texts = Field([], description="In one of these bands, e.g. `at_risk`.", examples=[["at_risk"]])
    scored: bool | None = Field(None, description="With a score, or (false) without one.")
    score_min: Score | None = Field(None, description="A score of this or more (0…100).")
    score_max: Score | None = Field(None, description="A score of this or less (0…100).")
    coverage_min: Share | None = Field(None, description="This coverage or more (0…1).")
    coverage_max: Share | None = Field(None, description="This coverage or less (0…1).")
    owner: Texts = Field([], description="Owned by one of these.", examples=[["dana"]])
    team: Texts = Field([], description="Of one of these teams.")
    segment: Texts = Field([], description="In one of these segments.")
    plan: Texts = Field([], description="On one of these plans.")
    attribute: Annotated[list[Attribute], Field(max_length=50)] = Field(
        [],
        description="`name:value`, standard or custom. Numbers and booleans may be told as such; where the value is a list, it"
        " must hold this one. Several must all hold.",
        examples=[["region:emea"]],
    )
    has: Texts = Field([], description="With a value for each of these attributes.", examples=[["arr"]])
    renewal_from: date | None = Field(None, description="Renews on this day or later.")
    renewal_to: date | None = Field(None, description="Renews on this day or earlier.")
    renewal_within_days: Annotated[int, Field(ge=0, le=3660)] | None = Field(
        None, description="Renews from today (UTC) to this many days on."
    )
    missing: Texts = Field([], description="Without data for each of these measures.", examples=[["nps"]])
    changed_days: Days | None = Field(
        None,
        description="Tells of each account `change`: its score less that of so many days ago; null where either is none, as for"
        " accounts that came in since.",
    )
    change_min: Change | None = Field(None, description="A change of this or more; needs `changed_days`.")
    change_max: Change | None = Field(
        None, description="A change of this or less, e.g. -10; needs `changed_days`."
    )
    q: Text | None = Field(None, description="Id or name holds this text, in upper or lower case.")
    scorecard: Texts = Field([], description="Judged by one of these scorecards.")
    overridden: bool | None = Field(
        None, description="With a person's override in force, or (false) without."
    )
    updated_since: Instant | None = Field(
        None,
        description="Touched by a fact, a timer or the model at this time or later. To follow all changes, read the change feed.",
    )

    @model_validator(mode="before")
    @classmethod
    def _known(cls, told: Any) -> Any:
        if unknown := sorted(told.keys() - cls.model_fields.keys()):
            raise ValueError(
                f"there is no {unknown[0][:80]!r}; there are {', '.join(sorted(cls.model_fields))}"
            )
        return told

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.changed_days is None and (self.change_min is not None or self.change_max is not None):
            raise ValueError("change_min and change_max need changed_days: the window to compare over")
        if self.renewal_within_days is not None and (self.renewal_from or self.renewal_to):
            raise ValueError("tell either renewal_within_days, or renewal_from and renewal_to")
        return self

    @classmethod
    def within(cls, query: "AccountFilters") -> "AccountFilters":
        """The filters alone of a query that asks for more."""
        return cls(**query.model_dump(include=set(cls.model_fields)))

    def renewals(self, now: datetime) -> tuple[date | None, date | None]:
        """The first and the last day of renewal that are asked for."""
        if self.renewal_within_days is None:
            return self.renewal_from, self.renewal_to
        return now.date(), now.date() + timedelta(self.renewal_within_days)

    def compared_with(self, now: datetime) -> datetime | None:
        """The instant whose scores `change` compares with."""
        return None if self.changed_days is None else now - timedelta(days=self.changed_days)
