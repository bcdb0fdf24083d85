"""What somebody asks of a simulation, over REST or in a scenario file: the account, what happens to it, and what people do."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from csm_common.contracts.health import AccountSnapshot
from csm_common.errors import InvalidError
from playbooks.application.simulation_account import SimulatedAccount, State
from playbooks.application.simulation_people import Done, People, Reply
from playbooks.application.simulation_walk import Cross, Scenario, Turn
from playbooks.domain.definition import Definition
from playbooks.domain.durations import duration

LONGEST = timedelta(days=3 * 366)
"""Of what is simulated at once."""


def _checked(text: str) -> str:
    duration(text)
    return text


Length = Annotated[str, AfterValidator(_checked), Field(description="A length of time: 30m, 4h, 2d.")]


def _utc(at: datetime) -> datetime:
    """In UTC, as all instants are; so far from the ends of the calendar that every wait has an end."""
    if not 2000 <= at.year <= 2200:
        raise ValueError("must be between the years 2000 and 2200")
    return at.astimezone(UTC)


Instant = Annotated[
    AwareDatetime, AfterValidator(_utc), Field(description="With a zone, as in 2026-03-02T09:00:00Z.")
]
Number = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Direction = Literal["entered", "left"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class AccountState(_Strict):
    """What is known of an account; what is not given stays as it was."""

    score: Number | None = None
    band: str | None = None
    coverage: Number | None = None
    attributes: dict[str, Any] = Field(
        default_factory=dict, description="Added to those before; null takes one away."
    )
    dimensions: dict[str, Number | None] = Field(default_factory=dict)
    measures: dict[str, Number | None] = Field(default_factory=dict)
    values: dict[str, Number | None] = Field(default_factory=dict)
    thresholds: list[Name] | None = Field(
        default=None, description="All that it is inside of; where that differs from before, it was crossed."
    )

    def state(self) -> State:
        """For the simulated account."""
        return State(**{name: getattr(self, name) for name in AccountState.model_fields})


class LaterState(AccountState):
    """What becomes of the account, `after` so long or `at` an instant, and what it crosses then."""

    at: Instant | None = None
    after: Length | None = None
    entered: list[Name] = Field(default_factory=list, max_length=50)
    left: list[Name] = Field(default_factory=list, max_length=50)

    def turns(self, start: datetime) -> Iterator[Turn]:
        """The state first, then the crossings, all of one instant."""
        at = self.instant(start)
        yield Turn(at=at, state=self.state())
        for threshold in self.left:
            yield Turn(at=at, cross=Cross(threshold=threshold, direction="left"))
        for threshold in self.entered:
            yield Turn(at=at, cross=Cross(threshold=threshold, direction="entered"))

    def instant(self, start: datetime) -> datetime:
        """When it is so; InvalidError where that is not told, or before the start."""
        if (self.at is None) == (self.after is None):
            raise InvalidError("Give each later state either `at`, an instant, or `after`, a length of time.")
        at = self.at or start + duration(self.after or "")
        if at < start:
            raise InvalidError(
                f"A later state is of {at.isoformat()}, before the start, {start.isoformat()}."
            )
        return at


class CrossingGiven(_Strict):
    """What the account crosses at the start; the playbook's trigger where nothing is given."""

    threshold: Name | None = None
    direction: Direction | None = None
    before: Number | None = None
    after: Number | None = None


class ReplyGiven(_Strict):
    """What is said to a question, `after` so long."""

    said: Literal["approved", "rejected", "none"]
    after: Length | None = None
    comment: str | None = None


class DoneGiven(_Strict):
    """What comes of a task, `after` so long."""

    outcome: str
    after: Length | None = None


class Walked(_Strict):
    """A scenario. Without `account_id` the account is made up; `snapshot` says how it is, or differs from what is known."""

    account_id: Name | None = None
    snapshot: AccountState = AccountState()
    crossing: CrossingGiven = CrossingGiven()
    at: Instant | None = Field(default=None, description="The pretended start; now where none is given.")
    until: Instant | None = None
    for_: Length | None = Field(
        default=None, alias="for", description="In place of `until`; 90d where neither is given."
    )
    snapshots: list[LaterState] = Field(default_factory=list, max_length=500)
    approvals: dict[str, Literal["approved", "rejected", "none"] | ReplyGiven] = Field(default_factory=dict)
    tasks: dict[str, str | DoneGiven] = Field(default_factory=dict)
    webhooks: dict[str, Annotated[int, Field(ge=100, le=599)]] = Field(
        default_factory=dict, description="What each endpoint answers; 200 where nothing is given."
    )

    def scenario(self, definition: Definition, known: AccountSnapshot, now: datetime) -> Scenario:
        """As it is played; `known` is the account before anything is changed. InvalidError where it cannot be."""
        at = self.at or now
        begun = SimulatedAccount(known)
        begun.become(self.snapshot.state(), at)
        trigger = definition.trigger
        return Scenario(
            snapshot=begun.snapshot,
            cross=Cross(
                threshold=self.crossing.threshold or trigger.threshold,
                direction=self.crossing.direction or trigger.direction,
                before=self.crossing.before,
                after=self.crossing.after,
            ),
            at=at,
            until=self._until(at),
            turns=[turn for each in self.snapshots for turn in each.turns(at)],
        )

    def people(self) -> People:
        """Who says and does what."""
        replies = {step: _reply(each) for step, each in self.approvals.items()}
        return People(replies=replies, outcomes={step: _done(each) for step, each in self.tasks.items()})

    def _until(self, at: datetime) -> datetime:
        if self.until is not None and self.for_ is not None:
            raise InvalidError("Give `until` or `for`, not both.")
        until = self.until or at + duration(self.for_ or "90d")
        if not timedelta() <= until - at <= LONGEST:
            raise InvalidError(
                f"The end must lie within {LONGEST.days} days after the start, {at.isoformat()}."
            )
        return until


def _reply(given: Literal["approved", "rejected", "none"] | ReplyGiven) -> Reply:
    if isinstance(given, ReplyGiven):
        return Reply(said=given.said, after=_length(given.after), comment=given.comment)
    return Reply(said=given)


def _done(given: str | DoneGiven) -> Done:
    return (
        Done(outcome=given.outcome, after=_length(given.after))
        if isinstance(given, DoneGiven)
        else Done(outcome=given)
    )


def _length(text: str | None) -> timedelta:
    return duration(text) if text is not None else timedelta()


def require_steps(walked: Walked, definition: Definition) -> None:
    """InvalidError where somebody is to answer a step that the playbook does not have, or that asks nothing."""
    kinds = {step.name: step.kind for step, _ in definition.all_steps()}
    asked: Mapping[str, Mapping[str, Any]] = {"approve": walked.approvals, "task": walked.tasks}
    for kind, steps in asked.items():
        for name in steps:
            if kinds.get(name) != kind:
                there = ", ".join(sorted(each for each, found in kinds.items() if found == kind)) or "none"
                raise InvalidError(f"{definition.name} has no {kind} step {name!r}; there are: {there}.")
