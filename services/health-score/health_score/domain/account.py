"""An account's state, kept by its one writer, and the fold that takes facts into it."""

from dataclasses import dataclass, field
from typing import Any

from health_score.domain.assessment import Assessment
from health_score.domain.attributes import ACCOUNT_CHANGED, Stamp, forget, merge
from health_score.domain.compiled import CompiledCard
from health_score.domain.fact import Fact
from health_score.domain.thresholds import ThresholdState

BACKFILL_ENDED = "csm.backfill.ended"
CONTACT_ERASED = "csm.contact.erased"


@dataclass(slots=True)
class AccountState:
    """All that is kept of an account. `signals` holds by measure the dataclass that `CompiledCard.state_types` names.

    `fold` writes the facts' part (attributes, signals, the backfill marks, the counts), `evaluate` the rest. An account that was
    erased begins afresh behind `erased_revision`, the last that was told of it: readers never take the new for something older.
    """

    account_id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    attribute_stamps: dict[str, Stamp] = field(default_factory=dict)
    attributes_changed: bool = False
    signals: dict[str, Any] = field(default_factory=dict)
    backfill_begun: bool = False
    backfill_ended: bool = False
    backfill_until: float | None = None
    folded: int = 0
    last_event_time: float | None = None
    thresholds: dict[str, ThresholdState] = field(default_factory=dict)
    revision: int = 0
    last: Assessment | None = None
    erased_revision: int = 0


def begun_behind(account_id: str, erased_revision: int) -> AccountState:
    """An account afresh after an erasure."""
    return AccountState(account_id, revision=erased_revision, erased_revision=erased_revision)


def fold(card: CompiledCard, state: AccountState, fact: Fact) -> None:
    """Take one fact into the state, in place; nothing else is touched. A fact the card does not read is only counted."""
    state.folded += 1
    if state.last_event_time is None or fact.time > state.last_event_time:
        state.last_event_time = fact.time
    if fact.backfill:
        state.backfill_begun, state.backfill_ended = True, False
    signals = state.signals
    for measure, signal in card.folds.get(fact.type, ()):
        known = signals.get(measure)
        folded = signal.fold(known, fact)
        if folded is not known:
            signals[measure] = folded
    if fact.type == ACCOUNT_CHANGED:
        changed = merge(state.attributes, state.attribute_stamps, fact)
        state.attributes_changed = state.attributes_changed or changed
    elif fact.type == BACKFILL_ENDED:
        state.backfill_ended = True
    elif fact.type == CONTACT_ERASED:
        forgot = forget(state.attributes, state.attribute_stamps, fact)
        state.attributes_changed = state.attributes_changed or forgot
