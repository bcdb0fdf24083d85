"""Time to recovery: how long accounts need until they cross back, where some have not yet."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Observed:
    """Accounts at one age, in hours since their entry: that recovered then, and that had not by then and are no older."""

    hours: int
    recovered: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """Of `accounts`, `recovered` have crossed back over the trigger's threshold; `share` is a floor, since others still may.

    `median_hours` is when half of them have, by the estimate of Kaplan and Meier, which counts those who still wait for as long
    as they were seen; None while fewer than half have.
    """

    accounts: int
    recovered: int
    share: float | None
    median_hours: int | None


def recovery_of(observed: Sequence[Observed]) -> Recovery:
    """What the accounts of an arm need."""
    accounts = sum(each.recovered + each.waiting for each in observed)
    recovered = sum(each.recovered for each in observed)
    return Recovery(
        accounts=accounts,
        recovered=recovered,
        share=recovered / accounts if accounts else None,
        median_hours=_median(observed, accounts),
    )


def _median(observed: Sequence[Observed], at_risk: int) -> int | None:
    """E. L. Kaplan, P. Meier, Nonparametric estimation from incomplete observations, J. Am. Stat. Assoc. 53 (1958) 457–481.

    Who was seen last at an age was still at risk at it.
    """
    surviving = 1.0
    for each in sorted(observed, key=lambda each: each.hours):
        surviving *= 1 - each.recovered / at_risk if at_risk else 1
        if surviving <= 0.5 + 1e-12:
            return each.hours
        at_risk -= each.recovered + each.waiting
    return None
