"""What comes next if nothing arrives: the foretold instant, and what is different when it has come."""

from collections.abc import Iterator

from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment
from health_score.domain.explanation import Foreseen, Stands, Turn, when
from health_score.domain.look import Look, look
from health_score.domain.silences import Silences
from health_score.domain.thresholds import OUTSIDE, ThresholdState, step
from health_score.domain.timers import next_change


def foresee(seen: Look, state: AccountState, now: float, silences: Silences) -> Foreseen | None:
    """The next change after `now`; None if there is none within the next ten years."""
    importing = state.backfill_until is not None
    due = next_change(seen, state, now)
    at = None if due is None else when(due)
    if due is None or at is None:
        return None
    then = look(seen.card, state, due, silences).assessment
    turns = [] if importing else [*_thresholds(seen, state, then, due)]
    if importing:
        turns.append(Turn("backfill", "", "an import is taken to be going on", "it is taken to have ended"))
    return Foreseen(at=at, score=then.score, turns=(*_assessed(seen.assessment, then), *turns))


def _assessed(now: Assessment, then: Assessment) -> Iterator[Turn]:
    if now.band != then.band:
        yield Turn("band", "", now.band or "unknown", then.band or "unknown")
    for name in sorted({*now.caps} ^ {*then.caps}):
        begins = name in then.caps
        yield Turn(
            "knockout",
            name,
            "not in force" if begins else "in force",
            "in force" if begins else "not in force",
        )
    if now.overridden and not then.overridden:
        yield Turn("override", "", "in force", "ended")
    for name, value in now.values.items():
        if (value is None) != (then.values[name] is None):
            yield Turn("measure", name, _known(value), _known(then.values[name]))


def _known(value: float | None) -> str:
    return "unknown" if value is None else "known"


def _thresholds(seen: Look, state: AccountState, then: Assessment, at: float) -> Iterator[Turn]:
    for watch in seen.card.watches:
        threshold = watch.threshold
        stood = state.thresholds.get(threshold.name, OUTSIDE)
        stands, _ = step(threshold, stood, then.of(watch.target), then.coverage, at)
        if stands_as(stood) != stands_as(stands):
            yield Turn("threshold", threshold.name, stands_as(stood), stands_as(stands))


def stands_as(state: ThresholdState) -> Stands:
    """In a word: inside, dwelling or outside."""
    if state.inside:
        return "inside"
    return "outside" if state.since is None else "dwelling"
