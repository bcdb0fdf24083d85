"""A person's word against the model's: the score or band that counts for a while; the computed one goes on beneath."""

from dataclasses import dataclass
from typing import Any

from health_score.domain.fact import Fact
from health_score.domain.scorecard import Scorecard
from health_score.domain.signals.selector import number
from health_score.domain.signals.until import moment

OVERRIDE_SET = "csm.override.set"
OVERRIDE_CLEARED = "csm.override.cleared"


@dataclass(slots=True)
class Override:
    """What was said last, by time and id of the event; cleared without a score or band. `until` is in epoch seconds."""

    time: float
    id: str
    score: float | None = None
    band: str | None = None
    reason: str = ""
    until: float = 0.0
    by: str | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether it was cleared."""
        return self.score is None and self.band is None


def told(known: Override | None, fact: Fact) -> Override | None:
    """The newer of what is known and what the fact says. One without a reason, an end, or anything to say changes nothing."""
    if known is not None and (fact.time, fact.id) <= (known.time, known.id):
        return known
    if fact.type == OVERRIDE_CLEARED:
        return Override(fact.time, fact.id)
    return _read(fact) or known


def _read(fact: Fact) -> Override | None:
    score, band = number(fact.data.get("score")), fact.data.get("band")
    reason, until = fact.data.get("reason"), moment(fact.data.get("until"))
    if until is None or not isinstance(reason, str) or not reason.strip():
        return None
    if score is not None and 0.0 <= score <= 100.0:
        return Override(fact.time, fact.id, score=score, reason=reason, until=until, by=_text(fact, "by"))
    if isinstance(band, str):
        return Override(fact.time, fact.id, band=band, reason=reason, until=until, by=_text(fact, "by"))
    return None


def _text(fact: Fact, name: str) -> str | None:
    found: Any = fact.data.get(name)
    return found if isinstance(found, str) else None


def in_force(known: Override | None, card: Scorecard, now: float) -> Override | None:
    """The override that counts at `now`; one that names a band the card does not have does not."""
    if known is None or known.says_nothing or now >= known.until:
        return None
    return None if known.band is not None and card.lowest(known.band) is None else known
