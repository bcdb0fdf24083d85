"""An account's state, kept by its one writer, and the fold that takes facts into it."""

from dataclasses import dataclass, field
from typing import Any

from health_score.domain.assessment import Assessment
from health_score.domain.attributes import ACCOUNT_CHANGED, Stamp, forget, merge
from health_score.domain.compiled import CardId
from health_score.domain.fact import Fact
from health_score.domain.model import Feed, Model
from health_score.domain.override import OVERRIDE_CLEARED, OVERRIDE_SET, Override, told
from health_score.domain.thresholds import ThresholdState

BACKFILL_ENDED = "csm.backfill.ended"
CONTACT_ERASED = "csm.contact.erased"
_OWN = frozenset({ACCOUNT_CHANGED, OVERRIDE_SET, OVERRIDE_CLEARED, BACKFILL_ENDED, CONTACT_ERASED})
"""Facts that concern the account itself rather than any measure."""
TRAIL = 3
"""How many of the newest facts behind a signal are remembered, to be told in explanations."""

Trail = list[tuple[float, str, str]]
"""Time, id and type of the newest facts that a signal read, the newest first."""


@dataclass(slots=True)
class AccountState:
    """All that is kept of an account. `signals` holds the signals' states by key, `trails` the newest facts by feed.

    `fold` writes the facts' part (attributes, signals, trails, override, backfill marks, counts), `evaluate` the rest.
    `card` is the scorecard that judged last, `model` the number of the model that chose it. An account that was erased begins
    afresh behind `erased_revision`, the last that was told of it: readers never take the new for something older.
    """

    account_id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    attribute_stamps: dict[str, Stamp] = field(default_factory=dict)
    attributes_changed: bool = False
    signals: dict[str, Any] = field(default_factory=dict)
    trails: dict[str, Trail] = field(default_factory=dict)
    override: Override | None = None
    backfill_begun: bool = False
    backfill_ended: bool = False
    backfill_until: float | None = None
    folded: int = 0
    last_event_time: float | None = None
    card: CardId | None = None
    model: int = 0
    thresholds: dict[str, ThresholdState] = field(default_factory=dict)
    revision: int = 0
    last: Assessment | None = None
    erased_revision: int = 0


def begun_behind(account_id: str, erased_revision: int) -> AccountState:
    """An account afresh after an erasure."""
    return AccountState(account_id, revision=erased_revision, erased_revision=erased_revision)


def fold(model: Model, state: AccountState, fact: Fact) -> None:
    """Take one fact into the state, in place; nothing else is touched. A fact the model does not read is only counted."""
    state.folded += 1
    if state.last_event_time is None or fact.time > state.last_event_time:
        state.last_event_time = fact.time
    if fact.backfill:
        state.backfill_begun, state.backfill_ended = True, False
    for feed in model.feeds.get(fact.type, ()):
        if feed.selects is None or feed.selects(fact.data):
            _feed(feed, state, fact)
    if fact.type in _OWN:
        _fold_own(state, fact)


def _feed(feed: Feed, state: AccountState, fact: Fact) -> None:
    """Fold the fact into the signals of one feed, and remember it if it is among the newest."""
    signals = state.signals
    for key, signal in feed.signals:
        known = signals.get(key)
        folded = signal.fold(known, fact)
        if folded is not known:
            signals[key] = folded
    trail = state.trails.get(feed.key)
    if trail is None:
        state.trails[feed.key] = [(fact.time, fact.id, fact.type)]
    elif fact.time > trail[0][0]:
        trail.insert(0, (fact.time, fact.id, fact.type))
        del trail[TRAIL:]
    elif len(trail) < TRAIL or fact.time >= trail[-1][0]:
        trail.append((fact.time, fact.id, fact.type))
        trail.sort(reverse=True)
        del trail[TRAIL:]


def join(model: Model, state: AccountState, past: AccountState) -> None:
    """Take the signals and trails of another part of the account's facts into the state, in place."""
    for key, other in past.signals.items():
        if key in model.signals:
            known = state.signals.get(key)
            state.signals[key] = other if known is None else model.signals[key].merge(known, other)
    for key, trail in past.trails.items():
        state.trails[key] = sorted({*state.trails.get(key, []), *trail}, reverse=True)[:TRAIL]


def _fold_own(state: AccountState, fact: Fact) -> None:
    """What concerns the account itself rather than any measure."""
    type_ = fact.type
    if type_ == ACCOUNT_CHANGED:
        changed = merge(state.attributes, state.attribute_stamps, fact)
        state.attributes_changed = state.attributes_changed or changed
    elif type_ in (OVERRIDE_SET, OVERRIDE_CLEARED):
        state.override = told(state.override, fact)
    elif type_ == BACKFILL_ENDED:
        state.backfill_ended = True
    elif type_ == CONTACT_ERASED:
        forgot = forget(state.attributes, state.attribute_stamps, fact)
        state.attributes_changed = state.attributes_changed or forgot
