"""What explanations, histories and the change feed read: what was told of an account, change by change."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csm_common.web.rows import Rows
from health_score.application.model_ports import ModelChange
from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment
from health_score.domain.comparison import Moved
from health_score.domain.compiled import CardId, CompiledCard
from health_score.domain.evaluation import CauseKind
from health_score.domain.silences import Silences


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of an account as it was told: known at `known_at`, for what happened at `event_at`, because of `cause`."""

    account_id: str
    revision: int
    known_at: datetime
    event_at: datetime
    cause: CauseKind
    fact_ids: list[str]
    scorecard: str
    version: int
    score_before: float | None
    score: float | None
    computed: float | None
    band_before: str | None
    band: str | None
    coverage: float


@dataclass(frozen=True, slots=True)
class Told:
    """A change with the whole assessment that it led to."""

    change: Change
    assessment: Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What is different from `asked`. `before` is the change that was in force then; None: nothing was known, `first_known_at`
    tells when that began. The `moved` of all measures sum to the difference of the computed scores.

    `by_cause` splits the difference of the scores by why each change between was told: facts, the timer, the model, a source.
    What is told since the last change, by time alone, is under `timer`. `same_card` is False where another card or version
    judges now: then parts are not to be compared as a customer's doing. `model_changes` are those between.
    """

    asked: datetime
    before: Change | None
    first_known_at: datetime | None
    score_moved: float | None
    same_card: bool
    by_cause: dict[CauseKind, float]
    measures: tuple[Moved, ...]
    model_changes: list[ModelChange]


@dataclass(frozen=True, slots=True)
class Mark:
    """A change as far as a chart shows it."""

    at: datetime
    score: float | None
    band: str | None
    cause: CauseKind
    scorecard: str
    version: int


@dataclass(frozen=True, slots=True)
class CrossingRow:
    """A crossing as it was announced: its id, when and at which revision of its account, and the contract's Crossing as JSON."""

    id: str
    occurred_at: datetime
    revision: int
    crossing: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingsAsked:
    """Which crossings are wanted: of one account or all that may be seen, of a threshold, in a direction."""

    rows: Rows
    account_id: str | None = None
    threshold: str | None = None
    direction: str | None = None


class StateReads(Protocol):
    """The accounts' states as they are now."""

    async def state(self, account_id: str) -> AccountState | None:
        """The account's state."""
        ...


class Newest(Protocol):
    """What an explanation needs of the newest model."""

    @property
    def silences(self) -> Silences:
        """The sources that are silent for the whole fleet."""
        ...


class Cards(Protocol):
    """The cards that judge and judged: application.models.Models."""

    @property
    def latest(self) -> Newest:
        """The newest model."""
        ...

    def card(self, id: CardId) -> CompiledCard | None:
        """A version that is or was in force."""
        ...

    def card_of(self, state: AccountState) -> CompiledCard:
        """The card that judged the account last."""
        ...


class HistoryReads(Protocol):
    """What was told."""

    async def at(self, account_id: str, time: datetime) -> Told | None:
        """The last change known by `time`."""
        ...

    async def first(self, account_id: str) -> datetime | None:
        """When anything of the account was known first."""
        ...

    async def before(self, account_id: str, revision: int) -> Told | None:
        """The last change before this one."""
        ...

    async def page(
        self, account_id: str, start: datetime, end: datetime, after: int, limit: int
    ) -> list[Told]:
        """The changes known at start ≤ t < end behind the revision `after`, in the order of revisions."""
        ...

    def marks(self, account_id: str, start: datetime, end: datetime) -> AsyncIterator[Mark]:
        """The changes known at start ≤ t < end, in the order of time."""
        ...

    async def by_cause(self, account_id: str, after: int, until: datetime) -> Mapping[CauseKind, float]:
        """By cause, the points of score that the changes behind the revision `after` brought up to and at `until`."""
        ...

    async def model_changes(self, start: datetime, end: datetime) -> list[ModelChange]:
        """The changes of the model at start ≤ t ≤ end, oldest first."""
        ...

    async def crossings(
        self, asked: CrossingsAsked, before: tuple[datetime, int, str] | None, limit: int
    ) -> list[CrossingRow]:
        """Crossings, the newest first, from behind the time, revision and id `before` on.

        What one look found by two cards happened at one time, but in the order of revisions.
        """
        ...
