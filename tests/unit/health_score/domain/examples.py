"""Facts, cards and states in a line each, for tests to read well."""

from collections.abc import Iterable
from itertools import count
from os import environ
from typing import Any

from hypothesis import HealthCheck, settings

from health_score.domain.account import AccountState, fold
from health_score.domain.compiled import CompiledCard, compile_card
from health_score.domain.curve import Curve
from health_score.domain.fact import Fact
from health_score.domain.scorecard import Band, Dimension, Measure, Scorecard, Threshold
from health_score.domain.signals import AnySignal

DAY = 86_400.0
NOW = 1_772_442_000.0
"""2026-03-02, 09:00 UTC."""

BANDS = (Band("critical", 0), Band("at_risk", 25), Band("neutral", 50), Band("healthy", 75))
LINE = Curve(((0.0, 0.0), (100.0, 100.0)))
"""Points are the value itself."""

thorough = settings(
    deadline=None,
    derandomize="PROPERTY_EXAMPLES" not in environ,
    max_examples=int(environ.get("PROPERTY_EXAMPLES", "50")),
    suppress_health_check=[HealthCheck.too_slow],
)
"""The same examples on every run; PROPERTY_EXAMPLES=5000 searches further, and elsewhere each time."""

_ids = count(1)


def fact(
    type_: str, time: float = NOW, *, id: str | None = None, backfill: bool = False, **data: Any
) -> Fact:
    """One fact of the account acme."""
    return Fact(id or f"e{next(_ids):06d}", type_, "acme", time, data, backfill)


def measure(name: str, signal: AnySignal, weight: float = 1.0, curve: Curve | None = LINE) -> Measure:
    """A measure whose points are its value, unless told otherwise."""
    return Measure(name, weight, signal, curve)


def card(*dimensions: Dimension, thresholds: Iterable[Threshold] = ()) -> CompiledCard:
    """A compiled card of these dimensions."""
    return compile_card(Scorecard("sample", 1, dimensions, BANDS, tuple(thresholds)))


def card_of(*measures: Measure, thresholds: Iterable[Threshold] = ()) -> CompiledCard:
    """A compiled card of one dimension named all."""
    return card(Dimension("all", 1.0, measures), thresholds=thresholds)


def account(card: CompiledCard, facts: Iterable[Fact]) -> AccountState:
    """The state of the account acme after these facts."""
    state = AccountState("acme")
    for each in facts:
        fold(card, state, each)
    return state


def folded(signal: AnySignal, facts: Iterable[Fact]) -> Any:
    """The signal's state after these facts."""
    state = None
    for each in facts:
        state = signal.fold(state, each)
    return state
