"""Cards and facts of every kind whose times all lie within a few minutes, so that a test can look at every second."""

from datetime import UTC, datetime
from typing import Any, Literal

from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import DAY, NOW, card

from health_score.domain.compiled import CompiledCard
from health_score.domain.curve import Curve
from health_score.domain.fact import Fact
from health_score.domain.scorecard import Dimension, Knockout, Measure, Threshold
from health_score.domain.signals import (
    ActiveUsers,
    Attainment,
    Count,
    Latest,
    Mean,
    Open,
    Ratio,
    Recency,
    Selector,
    Sum,
    Trend,
    Until,
)

HORIZON = 400
TYPES = ("thing.happened", "other.happened")
seconds = st.integers(9, 2 * HORIZON).map(lambda found: found / DAY)
"""In days, as signals take them."""

_kinds = st.sampled_from([(TYPES[0],), (TYPES[1],), TYPES])
_all, _read = _kinds.map(Selector), _kinds.map(lambda types: Selector(types, value="number"))
_dates = _kinds.map(lambda types: Selector(types, value="date"))
_counts = st.builds(Count, _all, seconds)
_sums = st.builds(Sum, _read, seconds)
_users = st.builds(ActiveUsers, _all, seconds, st.just("item"), st.sampled_from([16, 512]))
_means = st.builds(Mean, _read, seconds, st.just(0.3))
_latest = st.builds(Latest, _read, st.none() | seconds)
_opens = st.builds(Open, _all, st.just("item"), st.just({"open": (True,)}), st.just({}), seconds)
_untils, _recencies = st.builds(Until, _dates), st.builds(Recency, _all)
_trends = st.tuples(_all | _read, seconds, st.floats(2, 5), st.none() | seconds).map(
    lambda drawn: Trend(drawn[0], drawn[1], drawn[1] * drawn[2], drawn[3])
)
_attainments = st.builds(
    Attainment, _all, st.just("item"), st.sampled_from([0.5, 1.0]), st.none() | seconds, st.booleans()
)
_ratios = st.builds(Ratio, _counts | _sums | _users, _counts | _users) | st.builds(
    Ratio, _counts | _sums | _users | _recencies | _untils | _trends | _attainments, _means | _latest | _opens
)
signals = st.one_of(
    _counts,
    _sums,
    _means,
    _recencies,
    _latest,
    _opens,
    _untils,
    _users,
    _trends,
    _attainments,
    _ratios,
    _ratios,
)
directions: st.SearchStrategy[Literal["below", "above"]] = st.sampled_from(["below", "above"])
levels = st.integers(0, 20).map(lambda found: found * 5.0)


def _curves(low: float, high: float) -> st.SearchStrategy[Curve]:
    """Curves of any shape over the raw values from low to high."""
    knots = st.lists(
        st.tuples(st.integers(0, 12), levels), min_size=1, max_size=5, unique_by=lambda knot: knot[0]
    )
    return knots.map(lambda found: Curve(tuple((low + (high - low) * x / 12, y) for x, y in sorted(found))))


def _range(signal: object) -> tuple[float, float]:
    """The raw values in which something happens."""
    days = HORIZON / DAY
    if isinstance(signal, Ratio):
        low, high = _range(signal.of)
        return low, high if isinstance(signal.to, (Latest, Mean, Open)) else 3.0
    for kind, found in ((Recency, (0, days)), (Until, (-days, days)), (Attainment, (0, 1)), (Trend, (0, 3))):
        if isinstance(signal, kind):
            return found
    return -2, 6


@st.composite
def cards(draw: st.DrawFn) -> CompiledCard:
    """Any card of up to two dimensions, four measures, three thresholds and two knock-outs."""
    dimensions, ranges = [], {"score": (0.0, 100.0), "coverage": (0.0, 1.0)}
    for name in ["one", "two"][: draw(st.integers(1, 2))]:
        measures: list[Measure] = []
        for _ in range(draw(st.integers(1, 2))):
            signal = draw(signals)
            named = f"m{len(ranges)}"
            ranges[f"measure:{named}"] = _range(signal)
            weight = draw(
                st.integers(0 if measures else 1, 3)
            )  # the first counts, another may be only watched
            curve = draw(_curves(*_range(signal))) if weight else None
            measures.append(Measure(named, weight, signal, curve))
        ranges[f"dimension:{name}"] = (0.0, 100.0)
        dimensions.append(Dimension(name, draw(st.integers(1, 3)), tuple(measures)))
    thresholds = [draw(_thresholds(f"t{at}", ranges)) for at in range(draw(st.integers(0, 3)))]
    knockouts = [draw(_knockouts(f"k{at}", ranges)) for at in range(draw(st.integers(0, 2)))]
    return card(*dimensions, thresholds=thresholds, knockouts=knockouts)


def _level(target: str, ranges: dict[str, tuple[float, float]], twentieths: int) -> float:
    low, high = ranges[target]
    return low + (high - low) * twentieths / 20


@st.composite
def _thresholds(draw: st.DrawFn, name: str, ranges: dict[str, tuple[float, float]]) -> Threshold:
    target = draw(st.sampled_from(["score", "score", *ranges]))
    enter, away = draw(st.integers(-1, 20)), draw(st.integers(0, 4))
    direction = draw(directions)
    waits = st.sampled_from([0.0, 0.0, 30.5, 200.0])
    return Threshold(
        name,
        target,
        _level(target, ranges, enter),
        _level(target, ranges, enter + away if direction == "below" else enter - away),
        direction,
        dwell_s=draw(waits),
        min_coverage=draw(st.sampled_from([0.0, 0.4])),
        cooldown_s=draw(waits),
    )


@st.composite
def _knockouts(draw: st.DrawFn, name: str, ranges: dict[str, tuple[float, float]]) -> Knockout:
    target = draw(st.sampled_from([each for each in ranges if ":" in each]))
    level = _level(target, ranges, draw(st.integers(0, 20)))
    direction = draw(directions)
    return Knockout(name, target, level, direction, draw(st.sampled_from(["critical", "at_risk", "neutral"])))


def _dated(second: float | None) -> str | None:
    return None if second is None else datetime.fromtimestamp(NOW + second, UTC).isoformat()


_moments = (st.none() | st.integers(-HORIZON, 2 * HORIZON)).map(_dated)
_data = st.fixed_dictionaries(
    {
        "number": st.integers(-1, 5),
        "date": _moments,
        "item": st.sampled_from([*"abcd"]),
        "open": st.booleans(),
    },
    optional={
        "target": st.integers(1, 4),
        "current": st.integers(0, 4),
        "due": _moments,
        "confirmed_by_customer": st.booleans(),
    },
)
_said = st.fixed_dictionaries(
    {"reason": st.just("why"), "until": st.integers(0, 2 * HORIZON).map(_dated)},
    optional={
        "score": st.integers(0, 100),
        "band": st.sampled_from(["critical", "neutral", "healthy", "unknown"]),
    },
)
_told = st.one_of(
    *[st.tuples(st.sampled_from(TYPES), _data)] * 5,
    st.tuples(st.just("csm.override.set"), _said),
    st.tuples(st.just("csm.override.cleared"), st.just({})),
)


def facts_between(
    earliest: int, latest: int, *, backfill: bool = False, arriving: bool = False
) -> st.SearchStrategy[list[Fact]]:
    """Facts that happened so many seconds from NOW, in thirds of a second. With `arriving` the ids are the whole seconds from NOW
    on at which they arrive, each once."""
    times = st.integers(3 * earliest, 3 * latest)
    imported = st.booleans() if backfill else st.just(False)
    drawn = st.tuples(times, _told, imported, st.integers(0, HORIZON))
    found = st.lists(drawn, min_size=1, max_size=8, unique_by=lambda each: each[3] if arriving else id(each))
    return found.map(
        lambda drawn: _facts(sorted(drawn, key=lambda each: each[3]) if arriving else drawn, arriving)
    )


def _facts(drawn: list[Any], arriving: bool) -> list[Fact]:
    return [
        Fact(str(int(NOW) + second) if arriving else f"e{at}", type_, "acme", NOW + third / 3, data, imported)
        for at, (third, (type_, data), imported, second) in enumerate(drawn)
    ]


silences = st.dictionaries(
    st.sampled_from(TYPES), st.integers(-HORIZON, HORIZON).map(lambda s: NOW + s), max_size=2
)
"""Often none, and seldom of all types that a signal reads."""
