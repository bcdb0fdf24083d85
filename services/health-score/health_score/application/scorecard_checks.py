"""How the parts of a scorecard have to fit each other, told all at once and each with its place.

It reads the plain data of the file, so that it has its say too while single parts are still wrong.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from health_score.application.scorecard_mistakes import nearest
from health_score.application.scorecard_places import Location
from health_score.domain.scorecard import Band, Target

Found = tuple[Location, str]
"""A place and a sentence."""


def misfits(card: Mapping[str, Any], compile_condition: Callable[[str], object] | None) -> Iterator[Found]:
    """What does not fit in the plain data of a file."""
    if card.get("name") == "schema":  # GET /v1/scorecards/schema
        yield ("name",), "the name schema is taken: choose another"
    yield from _band_names(_mapping(card, "bands"))
    yield from _bands(_mapping(card, "bands"))
    yield from _twice(card)
    for threshold, told in _mapping(card, "thresholds").items():
        yield from _target(card, ("thresholds", threshold, "target"), told)
    for knockout, told in _mapping(card, "knockouts").items():
        yield from _target(card, ("knockouts", knockout, "target"), told)
        yield from _knockout(card, ("knockouts", knockout), told)
    yield from _condition(card.get("applies_to"), compile_condition)


def _mapping(told: Any, name: str) -> Mapping[Any, Any]:
    found = told.get(name) if isinstance(told, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _band_names(bands: Mapping[Any, Any]) -> Iterator[Found]:
    for name in bands:
        if isinstance(name, str):
            try:
                Band(name, 0.0)
            except ValueError as refused:
                yield ("bands", name), str(refused)


def _bands(bands: Mapping[Any, Any]) -> Iterator[Found]:
    lows = list(bands.items())
    if not lows or any(isinstance(low, bool) or not isinstance(low, (int, float)) for _, low in lows):
        return
    if lows[0][1] != 0:
        yield ("bands", lows[0][0]), "the lowest band must begin at 0"
    for (_, below), (name, low) in pairwise(lows):
        if not below < low:
            yield ("bands", name), f"bands are listed lowest first, so {name} must begin above {below:g}"
    if lows[-1][1] >= 100:
        yield ("bands", lows[-1][0]), "the highest band must begin below 100"


def _twice(card: Mapping[str, Any]) -> Iterator[Found]:
    known: dict[Any, Any] = {}
    for dimension, told in _mapping(card, "dimensions").items():
        for measure in _mapping(told, "measures"):
            if measure in known:
                place = ("dimensions", dimension, "measures", measure)
                yield place, f"{known[measure]} has a measure {measure} already: give it another name"
            known[measure] = dimension


def _target(card: Mapping[str, Any], place: Location, told: Any) -> Iterator[Found]:
    text = told.get("target") if isinstance(told, Mapping) else None
    if not isinstance(text, str):
        return
    try:
        target = Target.parse(text)
    except ValueError as refused:
        yield place, str(refused)
        return
    dimensions = _mapping(card, "dimensions")
    known = {
        "dimension": [*dimensions],
        "measure": [name for each in dimensions.values() for name in _mapping(each, "measures")],
    }.get(target.kind)
    if known is not None and target.name not in known:
        yield place, nearest(target.name, map(str, known), what=target.kind)


def _knockout(card: Mapping[str, Any], place: Location, told: Any) -> Iterator[Found]:
    if not isinstance(told, Mapping):
        return
    if told.get("target") in ("score", "coverage"):
        yield (*place, "target"), "a knock-out watches dimension:<name> or measure:<name>"
    lower = [str(each) for each in _mapping(card, "bands")][:-1]
    band = told.get("band")
    if isinstance(band, str) and band not in lower:
        yield (
            (*place, "band"),
            f"band must be one below the highest, so one of {', '.join(lower)}; not {band!r}",
        )


def _condition(expression: Any, compile_condition: Callable[[str], object] | None) -> Iterator[Found]:
    if isinstance(expression, str) and compile_condition is not None:
        try:
            compile_condition(expression)
        except ValueError as refused:
            yield ("applies_to",), f"not a condition: {refused}"
