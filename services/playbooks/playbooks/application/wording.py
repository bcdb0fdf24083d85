"""Crossings in a sentence for people."""

from csm_common.contracts.health import Crossing


def crossing_told(crossing: Crossing) -> str:
    """What was crossed, and from where to where."""
    moved = f"{crossing.target} went from {_number(crossing.before)} to {_number(crossing.after)}"
    return f"{crossing.threshold} was {crossing.direction}: {moved}, the level is {_number(crossing.level)}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
