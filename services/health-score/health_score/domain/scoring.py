"""From an account's state to its score: every measure read at `now`, put through its curve, weighed by what is known."""

from math import fsum

from health_score.domain.account import AccountState
from health_score.domain.assessment import Assessment, rounded
from health_score.domain.balance import Balance
from health_score.domain.compiled import CompiledCard
from health_score.domain.signals import read


def assess(card: CompiledCard, state: AccountState, now: float) -> Assessment:
    """What the card says of the account at `now` (epoch seconds). Changes nothing."""
    values: dict[str, float | None] = {}
    points: dict[str, float | None] = {}
    for measure in card.measures:
        value = read(measure.signal, state.signals.get(measure.name), now)
        values[measure.name] = value
        points[measure.name] = None if value is None or measure.curve is None else measure.curve.points(value)
    return _weighed(card, values, points)


def _weighed(
    card: CompiledCard, values: dict[str, float | None], points: dict[str, float | None]
) -> Assessment:
    earned = {name: each for name, each in points.items() if each is not None}
    balance = card.balance(tuple(earned))
    parts: dict[str, float | None] = {
        name: balance.whole[name] * earned[name] if name in balance.whole else None for name in points
    }
    score = rounded(fsum([part for part in parts.values() if part is not None])) if balance.whole else None
    return Assessment(
        score=score,
        band=None if score is None else card.card.band(score),
        coverage=balance.coverage,
        dimensions=_dimensions(balance, earned),
        values=values,
        points=points,
        parts=parts,
    )


def _dimensions(balance: Balance, earned: dict[str, float]) -> dict[str, float | None]:
    return {
        name: rounded(fsum([share * earned[measure] for measure, share in shares.items()]))
        if shares
        else None
        for name, shares in balance.within.items()
    }
