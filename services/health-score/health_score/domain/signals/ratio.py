"""`ratio`: one signal against another, such as seats used of seats bought, or errors per use."""

from dataclasses import dataclass
from typing import Any

from health_score.domain.forms import quotient
from health_score.domain.signals.active_users import ActiveUsers
from health_score.domain.signals.base import AnySignal, Reading, reading
from health_score.domain.signals.latest import Latest
from health_score.domain.signals.mean import Mean
from health_score.domain.signals.open_items import Open
from health_score.domain.signals.total import Sum

_STILL = (Latest, Mean, Open)
_FADING = (Sum, ActiveUsers)


@dataclass(frozen=True, slots=True)
class Ratio:
    """`of` / `to`; unknown while one of them is, or while `to` is 0. It has no state but theirs."""

    of: AnySignal
    to: AnySignal

    def __post_init__(self) -> None:
        if isinstance(self.to, _STILL) or (isinstance(self.to, _FADING) and isinstance(self.of, _FADING)):
            return
        raise ValueError(
            "a ratio can be of anything to latest, mean or open, and of count, sum or active_users to one of the three:"
            " only then can its future be reckoned"
        )

    def reading(self, of: Any, to: Any) -> Reading | None:
        """The reading from the states of both."""
        one, other = reading(self.of, of), reading(self.to, to)
        if one is None or other is None:
            return None
        form = quotient(one.form, other.form)
        if form is None:
            return None
        return Reading(form, max(one.begins, other.begins), min(one.ends, other.ends))


AnyReader = AnySignal | Ratio
"""What a measure can be read from."""


def bases(reader: AnyReader) -> tuple[AnySignal, ...]:
    """The signals with states of their own that a measure is read from."""
    return (reader.of, reader.to) if isinstance(reader, Ratio) else (reader,)
