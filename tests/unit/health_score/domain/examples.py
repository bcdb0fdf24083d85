"""Facts, cards and states in a line each, for tests to read well."""

from collections.abc import Iterable
from itertools import count
from os import environ
from typing import Any

from hypothesis import HealthCheck, settings

from health_score.domain.account import AccountState, fold
from health_score.domain.compiled import CompiledCard, compile_card, read_of
from health_score.domain.curve import Curve
from health_score.domain.evaluation import Cause, Evaluation, evaluate
from health_score.domain.fact import Fact
from health_score.domain.model import Applies, Choice, Model, build_model
from health_score.domain.scorecard import Band, Dimension, Knockout, Measure, Scorecard, Threshold
from health_score.domain.signals import AnyReader, AnySignal

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


def measure(name: str, signal: AnyReader, weight: float = 1.0, curve: Curve | None = LINE) -> Measure:
    """A measure whose points are its value, unless told otherwise."""
    return Measure(name, weight, signal, curve)


def card(
    *dimensions: Dimension,
    thresholds: Iterable[Threshold] = (),
    knockouts: Iterable[Knockout] = (),
    name: str = "sample",
    version: int = 1,
    priority: int = 0,
) -> CompiledCard:
    """A compiled card of these dimensions."""
    rules = {"thresholds": tuple(thresholds), "knockouts": tuple(knockouts), "priority": priority}
    return compile_card(Scorecard(name, version, dimensions, BANDS, **rules))  # type: ignore[arg-type]


def card_of(*measures: Measure, **rules: Any) -> CompiledCard:
    """A compiled card of one dimension named all."""
    return card(Dimension("all", 1.0, measures), **rules)


def model_of(*cards: CompiledCard | tuple[CompiledCard, Applies], number: int = 1, **more: Any) -> Model:
    """The model of these cards, each alone (it applies to every account) or with its condition."""
    choices = [Choice(*each) if isinstance(each, tuple) else Choice(each) for each in cards]
    return build_model(number, choices, **more)


def account(model: Model, facts: Iterable[Fact]) -> AccountState:
    """The state of the account acme after these facts."""
    state = AccountState("acme")
    for each in facts:
        fold(model, state, each)
    return state


def look_at(
    model: Model, state: AccountState, now: float = NOW, kind: Any = "facts", rest_s: float | None = None
) -> Evaluation:
    """The one evaluation of a look that no other model comes between."""
    [found] = evaluate(model, state, now, Cause(kind), rest_s)
    return found


def folded(signal: AnySignal, facts: Iterable[Fact]) -> Any:
    """The signal's state after these facts."""
    state = None
    for each in facts:
        state = signal.fold(state, each)
    return state


def number_of(reader: AnyReader, facts: Iterable[Fact], now: float = NOW) -> float | None:
    """What a measure's signal says at `now` after these facts, of which each signal takes those it selects."""
    found, measured = list(facts), read_of(measure("number", reader))
    states = {
        key: folded(
            each, [one for one in found if one.type in each.select.types and each.select.matches(one.data)]
        )
        for key, each in zip(measured.keys, measured.signals, strict=True)
    }
    known = measured.reading(states)
    return None if known is None else known.at(now)
