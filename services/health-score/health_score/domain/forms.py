"""Closed forms: how a signal's number runs through time if nothing arrives. They make the future computable, to the second.

Times are epoch seconds, spans of time are in days unless a name ends in `_s`. Every form is monotone in time. They are tuples
because some are made with every look at an account: a tuple costs a third of a frozen dataclass.
"""

from math import exp2, log
from typing import NamedTuple, Protocol

DAY_S = 86_400.0
_FURTHEST_AHEAD = 64.0  # half-lives; keeps an amount from a wrong future from overflowing
_NOTHING = 1e-9


class Form(Protocol):
    """One number's way through time."""

    @property
    def moves(self) -> bool:
        """Whether the number changes by the passing of time alone."""
        ...

    def value(self, now: float) -> float:
        """The number at `now`."""
        ...

    def bend(self, one: float, other: float) -> float:
        """How far at most the number strays from a straight line in time while it moves from one to the other."""
        ...


class Still(NamedTuple):
    """A number that time does not move."""

    number: float

    @property
    def moves(self) -> bool:
        """Whether time moves it."""
        return False

    def value(self, now: float) -> float:
        """The number."""
        return self.number

    def bend(self, one: float, other: float) -> float:
        """None."""
        return 0.0


class Ramp(NamedTuple):
    """(now - zero) / (day · sign): days that grow (or, for sign -1, shrink) one a day, never below `least`."""

    zero: float
    sign: float
    least: float

    @property
    def moves(self) -> bool:
        """Whether time moves it."""
        return True

    def value(self, now: float) -> float:
        """Days since `zero`, or until it."""
        days = (now - self.zero) / DAY_S * self.sign
        return max(self.least, days)

    def bend(self, one: float, other: float) -> float:
        """Straight, but for the corner at `least`."""
        return 0.0 if min(one, other) > self.least else abs(one - other)


class Fade(NamedTuple):
    """number · 2^((since - now) / half-life): halves with every half-life, or doubles where that is negative."""

    number: float
    since: float
    half_life_s: float

    @property
    def moves(self) -> bool:
        """Whether time moves it."""
        return True

    def value(self, now: float) -> float:
        """What is left at `now`."""
        return self.number * exp2(min((self.since - now) / self.half_life_s, _FURTHEST_AHEAD))

    def bend(self, one: float, other: float) -> float:
        """An eighth of the greatest second derivative times the square of the time it takes: |a|·ln²(a/b) / 8.

        On the way to nothing that grows without bound; but it cannot stray further than it moves.
        """
        least, greatest = sorted((abs(one), abs(other)))
        curved = greatest * log(greatest / least) ** 2 / 8.0 if least > 0.0 else greatest
        return min(curved, greatest - least)


class Scaled(NamedTuple):
    """Another form times a number that time does not move."""

    form: Form
    factor: float

    @property
    def moves(self) -> bool:
        """Whether time moves it."""
        return True

    def value(self, now: float) -> float:
        """The product."""
        return self.form.value(now) * self.factor

    def bend(self, one: float, other: float) -> float:
        """The bend of what is scaled, scaled."""
        return self.form.bend(one / self.factor, other / self.factor) * abs(self.factor)


def quotient(of: Form, to: Form) -> Form | None:
    """of / to where it is monotone, so where `to` stands still or both fade; None where there is nothing to divide by.

    What is nearer to 0 than a billionth is what rounding left of nothing.
    Two fading numbers fade against each other with 1 / half-life = 1 / half-life(of) - 1 / half-life(to).
    """
    if isinstance(to, Still):
        if abs(to.number) < _NOTHING:
            return None
        return Still(of.number / to.number) if isinstance(of, Still) else Scaled(of, 1.0 / to.number)
    if not (isinstance(of, Fade) and isinstance(to, Fade)):
        raise TypeError("only what fades can be divided by what fades")
    since = max(of.since, to.since)  # where neither lies ahead
    divisor = to.value(since)
    if abs(divisor) < _NOTHING:
        return None
    number, fading = of.value(since) / divisor, 1.0 / of.half_life_s - 1.0 / to.half_life_s
    return Still(number) if fading == 0.0 else Fade(number, since, 1.0 / fading)
