"""What pydantic refuses of a scorecard, told to the person who wrote it: the place, what is wrong, and what to do."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from health_score.application.scorecard_parts import ScorecardPart
from health_score.application.scorecard_places import Location, Mistake, PlacedDocument

_OWNER = re.compile(r"^(?:scorecard|dimension|measure|threshold|knock-out) \S+: ")
_FIRST_WORD = re.compile(r"^(\w+)")


def refused(document: PlacedDocument, error: ValidationError) -> list[Mistake]:
    """Each mistake with its place."""
    found = error.errors(include_url=False, include_context=True)
    return [_mistake(document, each) for each in found]


def nearest(name: object, known: Iterable[str], *, what: str, everything: bool = True) -> str:
    """ "there is no key 'hlaf_life_days'; did you mean half_life_days?" or, where nothing is near, what there is."""
    names = sorted(known)
    near = get_close_matches(str(name), names, n=1, cutoff=0.6)
    if near:
        return f"there is no {what} {name!r}; did you mean {near[0]}?"
    return (
        f"there is no {what} {name!r}; there are {', '.join(names)}"
        if names
        else f"there is no {what} {name!r}"
    )


def _mistake(document: PlacedDocument, error: ErrorDetails) -> Mistake:
    place, kind, context = error["loc"], error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return document.mistake_at_key(place, nearest(place[-1], _keys_at(place[:-1]), what="key"))
    if kind == "missing":
        return document.missing(place, f"{place[-1]} is missing")
    if kind == "invalid_key" or place[-1:] == ("[key]",):
        key = place[: -1 if kind != "invalid_key" else len(place)]
        wanted = "a text: put it in quotes" if kind in ("invalid_key", "string_type") else "a number"
        return document.mistake_at_key(key, f"this key is read as {error['input']!r} and must be {wanted}")
    if kind == "union_tag_invalid":
        kinds = re.findall(r"'(\w+)'", str(context["expected_tags"]))
        return document.mistake([*place, "kind"], nearest(context["tag"], kinds, what="kind of signal"))
    if kind == "union_tag_not_found":
        return document.missing(
            [*place, "kind"], "kind is missing: it says which signal this is, such as recency"
        )
    if kind == "value_error":
        return _sentence(document, place, str(context["error"]))
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return document.mistake(
            place, f"{_named(place)} must be a mapping of names to values, not {_short(error['input'])}"
        )
    expected = error["msg"].removeprefix("Input should be ")
    return document.mistake(place, f"{_named(place)} must be {expected}, not {_short(error['input'])}")


def _sentence(document: PlacedDocument, place: Location, sentence: str) -> Mistake:
    """A sentence of the domain; where it begins with the name of a key, that key is the place."""
    told = _OWNER.sub("", sentence)
    word = _FIRST_WORD.match(told)
    if word is not None and document.has(place, word[1]):
        return document.mistake([*place, word[1]], told)
    return document.mistake(place, told)


def _named(place: Location) -> str:
    return next((each for each in reversed(place) if isinstance(each, str)), "a scorecard")


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    told = repr(value)
    return told if len(told) <= 40 else told[:39] + "…"


@cache
def _schema() -> dict[str, Any]:
    return ScorecardPart.model_json_schema()


def _keys_at(place: Location) -> list[str]:
    """The keys that a piece of the file may have; the place tells too which kind of signal it is."""
    node = _schema()
    for each in place:
        node = _inner(_resolved(node), each)
    return list(_resolved(node).get("properties", ()))


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    if reference is None:
        return node
    found: dict[str, Any] = _schema()["$defs"][reference.rpartition("/")[2]]
    return found


def _inner(node: dict[str, Any], key: Any) -> dict[str, Any]:
    tagged = node.get("discriminator", {}).get("mapping", {})
    if key in tagged:
        return {"$ref": tagged[key]}
    properties: dict[str, Any] = node.get("properties", {})
    found: dict[str, Any] = properties.get(key) or node.get("additionalProperties") or {}
    return found
