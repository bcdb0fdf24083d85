"""A scorecard made ready for the hot path: which fact types concern which measures, and balances worked out once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from health_score.domain.balance import Balance, balance
from health_score.domain.scorecard import Measure, Scorecard, Target, Threshold
from health_score.domain.signals import AnySignal

_BALANCES_KEPT = 4096  # sets of known measures; a card of ten measures has 1,024


@dataclass(frozen=True, slots=True)
class Watch:
    """A threshold with its target read, and its `settling` twin: without dwell and cooldown, to adopt a state at once."""

    threshold: Threshold
    settling: Threshold
    target: Target


@dataclass(frozen=True, slots=True)
class CompiledCard:
    """The index of one scorecard. `state_types` tells by measure which dataclass its signal state is."""

    card: Scorecard
    measures: tuple[Measure, ...]
    folds: Mapping[str, tuple[tuple[str, AnySignal], ...]]
    watches: tuple[Watch, ...]
    balance: Callable[[tuple[str, ...]], Balance]
    state_types: Mapping[str, type]


def compile_card(card: Scorecard) -> CompiledCard:
    """The index of a card; done once per version."""
    folds: dict[str, list[tuple[str, AnySignal]]] = {}
    for measure in card.measures:
        for type_ in measure.signal.types:
            folds.setdefault(type_, []).append((measure.name, measure.signal))
    return CompiledCard(
        card=card,
        measures=card.measures,
        folds={type_: tuple(signals) for type_, signals in folds.items()},
        watches=tuple(
            Watch(each, replace(each, dwell_s=0.0, cooldown_s=0.0), Target.parse(each.target))
            for each in card.thresholds
        ),
        balance=lru_cache(_BALANCES_KEPT)(partial(balance, card)),
        state_types={measure.name: measure.signal.state_type for measure in card.measures},
    )
