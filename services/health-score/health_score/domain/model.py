"""All scorecards in force together: which one judges an account, and what has to be folded so that any of them can."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from health_score.domain.compiled import CardId, CompiledCard
from health_score.domain.signals import AnySignal, Selector, key_of
from health_score.domain.silences import NOTHING_SILENT, Silences

Applies = Callable[[Mapping[str, Any]], bool]
"""Whether a card applies to an account with these attributes."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A card with its condition; None: it applies to every account."""

    card: CompiledCard
    applies: Applies | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """The signals that read the same facts: they are matched once, and the newest of them are remembered once.

    `selects` tells whether the data of a fact matches; None: of every fact.
    """

    key: str
    selects: Callable[[Mapping[str, Any]], bool] | None
    signals: tuple[tuple[str, AnySignal], ...]


@dataclass(frozen=True, slots=True)
class Model:
    """The cards in force, the first that applies judging, and the sources that are silent. `number` grows with each change.

    `known` holds the cards in force and those before them, by which accounts are judged that have not been looked at since.
    `signals` are all that have to be folded, by key; `feeds` tells by fact type which. `change` and `outreach` tell what the
    change to this model was, and whether what it brings may start outreach.
    """

    number: int
    choices: tuple[Choice, ...]
    known: Mapping[CardId, CompiledCard]
    feeds: Mapping[str, tuple[Feed, ...]]
    signals: Mapping[str, AnySignal]
    silences: Silences = field(default_factory=lambda: NOTHING_SILENT)
    change: Literal["model", "source"] = "model"
    outreach: bool = False

    @property
    def feed_keys(self) -> frozenset[str]:
        """The keys of all feeds."""
        return frozenset(feed.key for feeds in self.feeds.values() for feed in feeds)

    def card_for(self, attributes: Mapping[str, Any]) -> CompiledCard:
        """The card that judges an account with these attributes."""
        for choice in self.choices:
            if choice.applies is None or choice.applies(attributes):
                return choice.card
        raise LookupError("no scorecard applies to every account")  # build_model does not let that happen


def build_model(
    number: int,
    choices: Iterable[Choice],
    *,
    before: Iterable[CompiledCard] = (),
    silences: Silences = NOTHING_SILENT,
    change: Literal["model", "source"] = "model",
    outreach: bool = False,
) -> Model:
    """The model of these cards. ValueError unless one of them applies to every account."""
    ordered = tuple(sorted(choices, key=lambda each: (-each.card.card.priority, each.card.card.name)))
    if not any(each.applies is None for each in ordered):
        raise ValueError("one of the active scorecards must apply to every account: it has no applies_to")
    in_force = [each.card for each in ordered]
    known = {card.id: card for card in (*before, *in_force)}
    signals = {key: signal for card in in_force for key, signal in card.signals.items()}
    return Model(number, ordered, known, _feeds(signals), signals, silences, change, outreach)


def folding_also(model: Model, signals: Mapping[str, AnySignal]) -> Model:
    """The same model, with further signals folded for one that comes after it."""
    both = {**signals, **model.signals}
    return replace(model, signals=both, feeds=_feeds(both))


def folding_only(model: Model, known: Collection[str]) -> Model:
    """The same model, without the signals that are folded already."""
    new = {key: signal for key, signal in model.signals.items() if key not in known}
    return replace(model, signals=new, feeds=_feeds(new))


def _feeds(signals: Mapping[str, AnySignal]) -> dict[str, tuple[Feed, ...]]:
    """By fact type, what it feeds."""
    grouped: dict[str, tuple[Selector, list[tuple[str, AnySignal]]]] = {}
    for key, signal in signals.items():
        matched = Selector(signal.select.types, signal.select.where)
        grouped.setdefault(key_of(matched), (matched, []))[1].append((key, signal))
    feeds: dict[str, list[Feed]] = {}
    for key, (select, members) in grouped.items():
        selects = select.matches if select.where else None
        for type_ in dict.fromkeys(select.types):  # one that is named twice counts once
            feeds.setdefault(type_, []).append(Feed(key, selects, tuple(members)))
    return {type_: tuple(found) for type_, found in feeds.items()}
