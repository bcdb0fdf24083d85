"""An account of a simulation: its state at each instant, told as health-score tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from csm_common.contracts.health import AccountSnapshot, Cause, Crossing, Scorecard
from playbooks.application.model import ReceivedCrossing, ReceivedSnapshot
from playbooks.application.simulation import News

Direction = Literal["entered", "left"]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is known of an account from an instant on; what is None stays as it was. `attributes`, `dimensions`, `measures` and
    `values` are added to those before, an attribute that is null is taken away. `thresholds` are the names of those it is
    inside of: where they differ from before, they were crossed."""

    score: float | None = None
    band: str | None = None
    coverage: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    dimensions: Mapping[str, float | None] = field(default_factory=dict)
    measures: Mapping[str, float | None] = field(default_factory=dict)
    values: Mapping[str, float | None] = field(default_factory=dict)
    thresholds: Sequence[str] | None = None


def unknown_account(account_id: str, at: datetime) -> AccountSnapshot:
    """An account of which nothing is known yet."""
    return AccountSnapshot(
        account_id=account_id,
        revision=0,
        evaluated_at=at,
        score=None,
        band=None,
        coverage=0.0,
        scorecard=Scorecard(name="simulated", version=1),
        dimensions={},
        measures={},
    )


class SimulatedAccount:
    """Begins with a snapshot; each change is told as news of the instant it happens at."""

    def __init__(self, snapshot: AccountSnapshot) -> None:
        self.snapshot = snapshot
        self._score_before = snapshot.score
        self._crossed = 0

    def become(self, state: State, at: datetime) -> News:
        """The account is so from now on, and has crossed what it is inside of now and was not, or the other way round."""
        before = self.snapshot
        self._score_before = before.score
        self.snapshot = _changed(before, state, at)
        inside, outside = set(before.thresholds), set(self.snapshot.thresholds)
        crossings = [
            *(self._crossing(name, "left", at) for name in sorted(inside - outside)),
            *(self._crossing(name, "entered", at) for name in sorted(outside - inside)),
        ]
        return News(snapshots=[_received(self.snapshot)], crossings=crossings)

    def cross(self, threshold: str, direction: Direction, at: datetime, **members: Any) -> News:
        """A threshold is crossed, whatever side the account was on before; `members` are those of Crossing."""
        inside = {*self.snapshot.thresholds} - {threshold}
        if direction == "entered":
            inside.add(threshold)
        self.snapshot = replace(_changed(self.snapshot, State(), at), thresholds=sorted(inside))
        crossing = self._crossing(threshold, direction, at, **members)
        return News(snapshots=[_received(self.snapshot)], crossings=[crossing])

    def _crossing(
        self, threshold: str, direction: Direction, at: datetime, **members: Any
    ) -> ReceivedCrossing:
        snapshot = self.snapshot
        self._crossed += 1
        crossing = Crossing(
            account_id=snapshot.account_id,
            threshold=threshold,
            direction=direction,
            target="score",
            level=snapshot.score or 0.0,
            before=self._score_before,
            after=snapshot.score,
            band_before=snapshot.band,
            band_after=snapshot.band,
            occurred_at=at,
            cause=Cause(kind="facts", fact_ids=["simulated"]),
            parts=[],
            snapshot=snapshot,
        )
        crossing = replace(crossing, **members)
        return ReceivedCrossing(
            id=f"simulated-{snapshot.account_id}-{self._crossed}",
            crossing=crossing,
            data=b"",
        )


def _changed(before: AccountSnapshot, state: State, at: datetime) -> AccountSnapshot:
    attributes = {**before.attributes, **state.attributes}
    return replace(
        before,
        revision=before.revision + 1,
        evaluated_at=at,
        score=before.score if state.score is None else state.score,
        band=before.band if state.band is None else state.band,
        coverage=before.coverage if state.coverage is None else state.coverage,
        attributes={name: value for name, value in attributes.items() if value is not None},
        dimensions={**before.dimensions, **state.dimensions},
        measures={**before.measures, **state.measures},
        values={**before.values, **state.values},
        thresholds=list(before.thresholds if state.thresholds is None else state.thresholds),
    )


def _received(snapshot: AccountSnapshot) -> ReceivedSnapshot:
    return ReceivedSnapshot(snapshot=snapshot, data=b"")
