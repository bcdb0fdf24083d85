"""What health-score tells: the account snapshot (`health.accounts.v1`) and the crossing (`health.crossings.v1`)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

ACCOUNT_SCORED = "csm.account.scored"
THRESHOLD_CROSSED = "csm.threshold.crossed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """Which model judged."""

    name: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person's word that counts instead of the computed score until it ends: a score, or a band."""

    score: float | None
    band: str | None
    reason: str
    until: datetime
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot:
    """An account's health at `evaluated_at`. Scores are 0…100 or None where no data backs them; coverage is 0…1.

    `revision` grows with every change of the account, so a reader can drop what is older than it knows.
    `attributes` are the account's own: name, plan, segment, owner, arr, renewal_date … and custom ones.
    `measures` are points, `values` the raw numbers behind them (days of silence, days to renewal …). `computed` is the score
    before knock-outs (`caps`, by name) and the override; `frozen` are measures whose source is silent for the whole fleet;
    `thresholds` are those that the account is inside of, by name.
    """

    account_id: str
    revision: int
    evaluated_at: datetime
    score: float | None
    band: str | None
    coverage: float
    scorecard: Scorecard
    dimensions: dict[str, float | None]
    measures: dict[str, float | None]
    attributes: dict[str, Any] = field(default_factory=dict)
    backfilling: bool = False
    values: dict[str, float | None] = field(default_factory=dict)
    computed: float | None = None
    caps: list[str] = field(default_factory=list)
    override: Override | None = None
    frozen: list[str] = field(default_factory=list)
    thresholds: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedPart:
    """A measure whose points moved with the crossing, in points of the whole score (0…100)."""

    measure: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CausingFact:
    """One of the facts that were folded before the look that found something."""

    id: str
    type: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why something happened: facts by id, the passing of time, a change of model, or of a source that feeds the whole fleet.

    `outreach` is False where this is no news of the customer, so that nobody is to be approached for it: a change of model,
    unless it was asked for with the change. `facts` says of those in `fact_ids`, in the same order, what they were and when; it
    is empty in what was told before there was such a member.
    """

    kind: Literal["facts", "timer", "model", "source"]
    fact_ids: list[str] = field(default_factory=list)
    outreach: bool = True
    facts: list[CausingFact] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A threshold was entered or left. `target` says what it watches: score, band, coverage, `dimension:x` or `measure:x`.

    The crossing's id is the envelope's id. `before` and `after` are values of the target.
    """

    account_id: str
    threshold: str
    direction: Literal["entered", "left"]
    target: str
    level: float
    before: float | None
    after: float | None
    band_before: str | None
    band_after: str | None
    occurred_at: datetime
    cause: Cause
    parts: list[MovedPart]
    snapshot: AccountSnapshot
