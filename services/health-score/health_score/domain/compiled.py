"""A scorecard made ready for the hot path: where each measure's states lie, and balances worked out once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from health_score.domain.balance import Balance, balance
from health_score.domain.curve import Curve
from health_score.domain.scorecard import Knockout, Scorecard, Target, Threshold
from health_score.domain.signals import AnyReader, AnySignal, bases, key_of

_BALANCES_KEPT = 4096  # sets of known measures; a card of ten measures has 1,024

CardId = tuple[str, int]
"""Name and version."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A threshold with its target read, and its `settling` twin: without dwell and cooldown, to adopt a state at once."""

    threshold: Threshold
    settling: Threshold
    target: Target


@dataclass(frozen=True, slots=True)
class Gate:
    """A knock-out with its target read, and the highest score it allows."""

    knockout: Knockout
    target: Target
    highest: float


@dataclass(frozen=True, slots=True)
class Read:
    """A measure with the keys of its signals' states, and the fact types that feed each of them."""

    name: str
    signal: AnyReader
    keys: tuple[str, ...]
    curve: Curve | None
    types: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class CompiledCard:
    """The index of one scorecard. `signals` are those with states of their own, by key."""

    card: Scorecard
    id: CardId
    reads: tuple[Read, ...]
    watches: tuple[Watch, ...]
    gates: tuple[Gate, ...]
    balance: Callable[[tuple[str, ...]], Balance]
    signals: Mapping[str, AnySignal]


def compile_card(card: Scorecard) -> CompiledCard:
    """The index of a card; done once per version."""
    signals: dict[str, AnySignal] = {}
    reads = []
    for measure in card.measures:
        own = bases(measure.signal)
        keys = tuple(key_of(each) for each in own)
        types = tuple(each.select.types for each in own)
        signals |= dict(zip(keys, own, strict=True))
        reads.append(Read(measure.name, measure.signal, keys, measure.curve, types))
    return CompiledCard(
        card=card,
        id=(card.name, card.version),
        reads=tuple(reads),
        watches=tuple(
            Watch(each, replace(each, dwell_s=0.0, cooldown_s=0.0), Target.parse(each.target))
            for each in card.thresholds
        ),
        gates=tuple(
            Gate(each, Target.parse(each.target), card.highest(each.band) or 0.0) for each in card.knockouts
        ),
        balance=lru_cache(_BALANCES_KEPT)(partial(balance, card)),
        signals=signals,
    )
