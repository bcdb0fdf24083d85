"""A scorecard made ready for the hot path: where each measure's states lie, and balances worked out once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from health_score.domain.balance import Balance, balance
from health_score.domain.curve import Curve
from health_score.domain.scorecard import SCORE, Knockout, Measure, Scorecard, Target, Threshold
from health_score.domain.signals import AnySignal, Ratio, Reading, States, bases, key_of

_BALANCES_KEPT = 4096  # sets of known measures; a card of ten measures has 1,024

CardId = tuple[str, int]
"""Name and version."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A threshold with its target read, and its `settling` twin: without dwell and cooldown, to adopt a state at once.

    `at` is the place of the target among the card's targets.
    """

    threshold: Threshold
    settling: Threshold
    target: Target
    at: int


@dataclass(frozen=True, slots=True)
class Gate:
    """A knock-out with its target read, and the highest score it allows."""

    knockout: Knockout
    target: Target
    highest: float
    at: int


@dataclass(frozen=True, slots=True)
class Read:
    """A measure with its signals, the keys of their states, and the fact types that feed each; `ratio` where it is one of two."""

    name: str
    signals: tuple[AnySignal, ...]
    ratio: Ratio | None
    keys: tuple[str, ...]
    curve: Curve | None
    types: tuple[tuple[str, ...], ...]

    def reading(self, states: States) -> Reading | None:
        """What an account's states tell of the measure; None where nothing is known."""
        state = states.get(self.keys[0])
        if self.ratio is not None:
            return self.ratio.reading(state, states.get(self.keys[1]))
        if state is None:
            return None
        signal = self.signals[0]  # read in place: a call for each of an account's measures would show
        return Reading(signal.form(state), *signal.span(state))


@dataclass(frozen=True, slots=True)
class CompiledCard:
    """The index of one scorecard. `signals` are those with states of their own, by key; `targets` all numbers that are watched,
    the score first, and `raw` for each the place of the measure whose raw value it is (None: of none)."""

    card: Scorecard
    id: CardId
    reads: tuple[Read, ...]
    targets: tuple[Target, ...]
    raw: tuple[int | None, ...]
    watches: tuple[Watch, ...]
    gates: tuple[Gate, ...]
    balance: Callable[[tuple[str, ...]], Balance]
    signals: Mapping[str, AnySignal]


def compile_card(card: Scorecard) -> CompiledCard:
    """The index of a card; done once per version."""
    reads = tuple(map(read_of, card.measures))
    texts = [*(each.target for each in card.thresholds), *(each.target for each in card.knockouts)]
    targets = tuple(dict.fromkeys([SCORE, *map(Target.parse, texts)]))
    return CompiledCard(
        card=card,
        id=(card.name, card.version),
        reads=reads,
        targets=targets,
        raw=tuple(_measure(card, each) for each in targets),
        watches=tuple(_watch(each, targets) for each in card.thresholds),
        gates=tuple(_gate(card, each, targets) for each in card.knockouts),
        balance=lru_cache(_BALANCES_KEPT)(partial(balance, card)),
        signals={key: signal for each in reads for key, signal in zip(each.keys, each.signals, strict=True)},
    )


def read_of(measure: Measure) -> Read:
    """The measure made ready to be read."""
    signals = bases(measure.signal)
    return Read(
        name=measure.name,
        signals=signals,
        ratio=measure.signal if isinstance(measure.signal, Ratio) else None,
        keys=tuple(key_of(each) for each in signals),
        curve=measure.curve,
        types=tuple(each.select.types for each in signals),
    )


def _watch(threshold: Threshold, targets: tuple[Target, ...]) -> Watch:
    target = Target.parse(threshold.target)
    return Watch(threshold, replace(threshold, dwell_s=0.0, cooldown_s=0.0), target, targets.index(target))


def _gate(card: Scorecard, knockout: Knockout, targets: tuple[Target, ...]) -> Gate:
    target = Target.parse(knockout.target)
    return Gate(knockout, target, card.highest(knockout.band) or 0.0, targets.index(target))


def _measure(card: Scorecard, target: Target) -> int | None:
    names = [each.name for each in card.measures]
    return names.index(target.name) if target.kind == "measure" else None
