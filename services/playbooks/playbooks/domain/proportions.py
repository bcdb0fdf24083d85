"""Shares of accounts and how sure one can be of them: intervals, and how many accounts it takes to see a difference.

Intervals are at 95 %: in the long run one of twenty does not contain the truth.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

ALPHA = 0.05
"""How often a difference is seen where there is none."""

POWER = 0.8
"""How often a difference as large as was planned for is seen where there is one."""

_Z = NormalDist().inv_cdf(1 - ALPHA / 2)
_Z_POWER = NormalDist().inv_cdf(POWER)


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of` accounts."""

    hits: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.of:
            raise ValueError(f"{self.hits} of {self.of} is not a share")

    @property
    def value(self) -> float:
        """0…1; 0 of none."""
        return self.hits / self.of if self.of else 0.0


def wilson(share: Share) -> Interval:
    """Where the true share may lie, within 0…1. Of no accounts nothing is known.

    The score interval without continuity correction: E. B. Wilson, Probable inference, the law of succession, and statistical
    inference, J. Am. Stat. Assoc. 22 (1927) 209–212. Unlike ±1.96·√(pq/n) it holds for few accounts and rare goals.
    """
    if share.of == 0:
        return Interval(0.0, 1.0)
    hits, n, z2 = share.hits, share.of, _Z * _Z
    centre = hits + z2 / 2
    spread = _Z * math.sqrt(hits * (n - hits) / n + z2 / 4)
    # At none and at all the bounds are exact; rounding must not move them.
    low = 0.0 if hits == 0 else (centre - spread) / (n + z2)
    high = 1.0 if hits == n else (centre + spread) / (n + z2)
    return Interval(low, high)


def newcombe(one: Share, other: Share) -> Interval:
    """Where the true difference `one − other` may lie, within −1…1.

    The hybrid score interval, method 10 of R. G. Newcombe, Interval estimation for the difference between independent
    proportions: comparison of eleven methods, Statistics in Medicine 17 (1998) 873–890.
    """
    difference = one.value - other.value
    first, second = wilson(one), wilson(other)
    below = math.hypot(one.value - first.low, second.high - other.value)
    above = math.hypot(first.high - one.value, other.value - second.low)
    return Interval(max(-1.0, difference - below), min(1.0, difference + above))


def planned_sizes(detect: float, share: float) -> tuple[int, int]:
    """How many accounts to treat and how many to hold out, so that a difference of `detect` (0…1, above 0) is seen.

    `share` (0…1, both excluded) of the accounts are held out. With k treated for each held out,

        held out = (z(1−α/2) + z(power))² · (1 + 1/k) · ¼ / detect²

    the normal approximation (J. L. Fleiss, B. Levin, M. C. Paik, Statistical Methods for Rates and Proportions, 3rd ed. 2003,
    chapter 4) with both variances at ¼, the largest that they can be: no data is needed, so no data can move the plan.
    """
    treated_for_each = (1 - share) / share
    held_out = (_Z + _Z_POWER) ** 2 * (1 + 1 / treated_for_each) / 4 / detect**2
    return math.ceil(held_out * treated_for_each), math.ceil(held_out)
