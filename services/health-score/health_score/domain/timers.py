"""The clock's part, foretold: the next instant at which an account changes if nothing arrives. No sweep ever looks for it.

Everything that is watched is a number that has to stay in a corridor (a band, one side of a threshold) for nothing to change.
Expiries, dwell ends and the like are known instants; up to the first of them the numbers run smooth courses, which are searched.
"""

from collections.abc import Iterator
from math import ceil, floor, inf, nextafter

from health_score.domain.account import AccountState
from health_score.domain.compiled import Gate
from health_score.domain.courses import course
from health_score.domain.look import Hold, Look
from health_score.domain.override import in_force
from health_score.domain.search import Corridor, first_exit
from health_score.domain.thresholds import OUTSIDE, corridor, ready_at

HORIZON_S = 3_650 * 86_400.0
"""Longer than any contract, so that no renewal of a silent account is missed."""

EVERYWHERE: Corridor = (-inf, inf)


def next_change(seen: Look, state: AccountState, now: float, horizon_s: float = HORIZON_S) -> float | None:
    """When the account changes next if nothing arrives: `next_instant`, or the end of an import that is going on."""
    if state.backfill_until is not None:
        return float(ceil(state.backfill_until))
    return next_instant(seen, state, now, horizon_s)


def next_instant(seen: Look, state: AccountState, now: float, horizon_s: float = HORIZON_S) -> float | None:
    """The first whole second after `now` at which the state that `evaluate` left at `now` changes if nothing arrives.

    It changes when the band changes, a threshold is entered or left or the condition to enter it begins or ceases to hold, a
    knock-out or an override begins or ends, a value expires or begins to be believed, or a backfill runs out. None if nothing of
    the kind happens within `horizon_s` seconds. `seen` is the look at the account at `now`.
    """
    first, beyond = floor(now) + 1, floor(now + horizon_s) + 1
    found = min([beyond, *_known_instants(seen, state, now, first)])
    for place, (at, bounds) in enumerate(zip(seen.card.raw, _corridors(seen, state), strict=True)):
        if bounds is None or bounds == EVERYWHERE or (at is not None and _rests(seen, at, bounds, found)):
            continue
        run = course(seen, place)
        if run is not None:
            found = first_exit(run, bounds, first, found)
    return float(found) if found < beyond else None


def _rests(seen: Look, at: int, bounds: Corridor, beyond: int) -> bool:
    """Whether the raw value of a measure is still in its corridor at the end: it is monotone, so it never leaves it before."""
    reading = seen.readings[at]
    return (
        reading is None or not reading.form.moves or bounds[0] <= reading.form.value(beyond - 1) < bounds[1]
    )


def _known_instants(seen: Look, state: AccountState, now: float, first: int) -> Iterator[int]:
    """The whole seconds, `first` at the earliest, that need no search."""
    for reading in seen.readings:
        if reading is not None:
            if now < reading.begins < reading.ends:
                yield max(first, ceil(reading.begins))
            elif reading.begins <= now < reading.ends < inf:
                yield max(first, ceil(reading.ends))
    for watch in seen.card.watches:
        stands = state.thresholds.get(watch.threshold.name)
        if stands is not None and (ready := ready_at(watch.threshold, stands)) < inf:
            yield max(first, ceil(ready))
    said = in_force(state.override, seen.card.card, now)
    if said is not None:
        yield max(first, ceil(said.until))
    if state.backfill_until is not None:
        yield max(first, ceil(state.backfill_until))


def _corridors(seen: Look, state: AccountState) -> list[Corridor | None]:
    """For each target of the card the corridor in which nothing changes; None where the number is not known."""
    card, assessment, numbers = seen.card, seen.assessment, seen.numbers
    found: list[Corridor | None] = [None if each is None else EVERYWHERE for each in numbers]
    if assessment.score is not None:
        found[0] = _beneath(card.card.band_span(assessment.score), seen.hold)
    for watch in card.watches:
        known = found[watch.at]
        if known is not None:
            stands = state.thresholds.get(watch.threshold.name, OUTSIDE)
            bounds = corridor(watch.threshold, stands, assessment.coverage)
            found[watch.at] = _both(known, bounds if watch.at else _beneath(bounds, seen.hold))
    for gate in card.gates:
        known, number = found[gate.at], numbers[gate.at]
        if known is not None and number is not None:
            found[gate.at] = _both(known, _gate(gate, number))
    return found


def _both(one: Corridor, other: Corridor) -> Corridor:
    return max(one[0], other[0]), min(one[1], other[1])


def _gate(gate: Gate, value: float) -> Corridor:
    """The values at which a knock-out stays in or out of force."""
    below, level = gate.knockout.direction == "below", gate.knockout.level
    turn = level if below else nextafter(level, inf)
    return (-inf, turn) if value < turn else (turn, inf)


def _beneath(bounds: Corridor, hold: Hold) -> Corridor:
    """The computed scores for which the held score stays within the bounds."""
    low, high = bounds
    return low if hold[0] < low else -inf, high if hold[1] >= high else inf
