"""Exponential decay: a sum of amounts that halve with every half-life, whatever order they arrive in.

An amount a at time t weighs a·2^((t - now) / half-life). Sums are kept as of a whole number of half-lives since the epoch, so
moving that reference is a shift by a power of two: exact in floating point, and late amounts weigh what they should.
"""

from math import exp2, ldexp

from health_score.domain.signals.base import require_days

_SHORTEST_HALF_LIFE_DAYS = 0.0001  # 8.6 seconds; a shorter one is a slip


def require_half_life(days: float, name: str = "half_life_days") -> None:
    """Refuse a half-life that cannot be reckoned with."""
    require_days(name, days, _SHORTEST_HALF_LIFE_DAYS)


def reference(time: float, half_life_s: float) -> tuple[int, float]:
    """The last whole half-life at `time`, and the weight (1…2) at that reference of an amount of 1 at `time`."""
    whole, rest = divmod(time, half_life_s)  # exact, which time / half_life_s is not
    return int(whole), exp2(rest / half_life_s)


def shifted(total: float, at: int, to: int) -> float:
    """A total of reference `at` as of the later reference `to`."""
    return total if at == to else ldexp(total, at - to)


def joined(total: float, at: int, other: float, other_at: int) -> tuple[float, int]:
    """Two totals as one, as of the later of both references."""
    latest = max(at, other_at)
    return shifted(total, at, latest) + shifted(other, other_at, latest), latest
