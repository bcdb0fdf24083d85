"""Any card and any account, for what must hold of every explanation."""

from typing import Any, Literal

from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import BANDS, DAY, NOW, account, fact, model_of

from health_score.domain.account import AccountState
from health_score.domain.compiled import CompiledCard, compile_card
from health_score.domain.curve import Curve
from health_score.domain.evaluation import Cause, evaluate
from health_score.domain.scorecard import Dimension, Knockout, Measure, Scorecard, Threshold
from health_score.domain.signals import AnySignal, Latest, Recency, Selector
from health_score.domain.silences import Silences

levels = st.integers(0, 20).map(lambda found: found * 5.0)
curves = st.lists(
    st.tuples(st.integers(0, 12).map(float), levels), min_size=1, max_size=5, unique_by=lambda knot: knot[0]
).map(lambda knots: Curve(tuple(sorted(knots))))


@st.composite
def measures(draw: st.DrawFn, number: int, *, counts: bool) -> Measure:
    """One that reads facts of a type of its own."""
    type_ = (f"told.m{number}",)
    answers, silence = Latest(Selector(type_, value="number"), 30.0), Recency(Selector(type_))
    signal: AnySignal = answers if draw(st.booleans()) else silence
    weight = draw(st.integers(1, 5)) if counts else draw(st.integers(0, 2))
    return Measure(f"m{number}", float(weight), signal, draw(curves))


@st.composite
def cards(draw: st.DrawFn, version: int = 1) -> CompiledCard:
    """Up to three dimensions of up to three measures, with knock-outs."""
    dimensions: list[Dimension] = []
    number = 0
    for name in ["one", "two", "three"][: draw(st.integers(1, 3))]:
        found = []
        for at in range(draw(st.integers(1, 3))):
            found.append(draw(measures(number, counts=at == 0)))
            number += 1
        dimensions.append(Dimension(name, float(draw(st.integers(1, 4))), tuple(found)))
    targets = [f"measure:m{each}" for each in range(number)] + ["dimension:one"]
    knockouts = tuple(
        Knockout(f"k{at}", draw(st.sampled_from(targets)), draw(levels), draw(sides), draw(lower))
        for at in range(draw(st.integers(0, 2)))
    )
    watch = Threshold("low", "score", 50.0, 55.0, "below", dwell_s=draw(dwells))
    return compile_card(Scorecard("any", version, tuple(dimensions), BANDS, (watch,), knockouts))


sides: st.SearchStrategy[Literal["below", "above"]] = st.sampled_from(["below", "above"])
lower = st.sampled_from(["critical", "at_risk", "neutral"])
dwells = st.sampled_from([0.0, 5 * DAY])
told = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 40), st.floats(-1, 13)), max_size=12)
overrides: st.SearchStrategy[dict[str, Any] | None] = st.none() | st.one_of(
    st.builds(dict, score=st.integers(0, 100)), st.builds(dict, band=lower)
)


def lived(
    card: CompiledCard, facts: list[tuple[int, int, float]], override: dict[str, Any] | None, now: float = NOW
) -> AccountState:
    """The account after facts (measure, days ago, number) and an override, looked at once."""
    model = model_of(card)
    events = [fact(f"told.m{of}", now - ago * DAY, number=number) for of, ago, number in facts]
    if override is not None:
        until = "2026-03-09T09:00:00Z"
        events.append(fact("csm.override.set", now, reason="we met them", until=until, by="kim", **override))
    state = account(model, events)
    evaluate(model, state, now, Cause())
    return state


@st.composite
def silences(draw: st.DrawFn) -> Silences:
    """Some sources silent since a few days."""
    return {f"told.m{each}": NOW - 3 * DAY for each in draw(st.sets(st.integers(0, 8), max_size=3))}
