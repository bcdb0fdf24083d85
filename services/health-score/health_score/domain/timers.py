"""The clock's part, foretold: the next instant at which an account changes if nothing arrives. No sweep ever looks for it.

Everything that is watched is a number that has to stay in a corridor (a band, one side of a threshold) for nothing to change.
Expiries, dwell ends and the like are known instants; up to the first of them the numbers run smooth courses, which are searched.
"""

from collections.abc import Iterator
from math import ceil, floor, inf

from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment
from health_score.domain.compiled import CompiledCard
from health_score.domain.courses import course
from health_score.domain.scorecard import SCORE, Target
from health_score.domain.scoring import assess
from health_score.domain.search import Corridor, first_exit
from health_score.domain.thresholds import OUTSIDE, corridor, ready_at

HORIZON_S = 3_650 * 86_400.0
"""Longer than any contract, so that no renewal of a silent account is missed."""


def next_instant(
    card: CompiledCard,
    state: AccountState,
    now: float,
    horizon_s: float = HORIZON_S,
    assessment: Assessment | None = None,
) -> float | None:
    """The first whole second after `now` at which the state that `evaluate` left at `now` changes if nothing arrives.

    It changes when the band changes, a threshold is entered or left or the condition to enter it begins or ceases to hold, a
    value expires, or a backfill runs out. None if nothing of the kind happens within `horizon_s` seconds. `assessment` spares
    the work of assessing the state at `now` once more.
    """
    if assessment is None:
        assessment = assess(card, state, now)
    first, beyond = floor(now) + 1, floor(now + horizon_s) + 1
    found = min([beyond, *_known_instants(card, state, assessment, first)])
    for target, bounds in _corridors(card, state, assessment).items():
        run = course(card, state, assessment, target)
        if run is not None:
            found = first_exit(run, bounds, first, found)
    return float(found) if found < beyond else None


def _known_instants(
    card: CompiledCard, state: AccountState, assessment: Assessment, first: int
) -> Iterator[int]:
    """The whole seconds, `first` at the earliest, that need no search."""
    for measure in card.measures:
        if assessment.values[measure.name] is not None:
            expires = measure.signal.expires(state.signals[measure.name])
            if expires is not None:
                yield ceil(expires)
    for watch in card.watches:
        ready = ready_at(watch.threshold, state.thresholds.get(watch.threshold.name, OUTSIDE))
        if ready < inf:
            yield max(first, ceil(ready))
    if state.backfill_until is not None:
        yield max(first, ceil(state.backfill_until))


def _corridors(card: CompiledCard, state: AccountState, assessment: Assessment) -> dict[Target, Corridor]:
    """By watched number, the corridor in which nothing changes."""
    found: dict[Target, Corridor] = {}
    if assessment.score is not None:
        found[SCORE] = card.card.band_span(assessment.score)
    for watch in card.watches:
        if assessment.of(watch.target) is not None:
            known = state.thresholds.get(watch.threshold.name, OUTSIDE)
            low, high = corridor(watch.threshold, known, assessment.coverage)
            lowest, highest = found.get(watch.target, (-inf, inf))
            found[watch.target] = max(low, lowest), min(high, highest)
    return found
