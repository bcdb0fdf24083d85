"""What pydantic refuses of a playbook, told to the person who wrote it: the member at fault, what is wrong, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from playbooks.domain.definition import Definition
from playbooks.domain.rules import DefinitionError, Place

_CHOICES: dict[Place, tuple[type, str]] = {
    "wait": (dict, "must be a duration such as 2d, or a mapping with time or date"),
    "assignee": (dict, "must be owner, or a mapping with one of contact, least_loaded, round_robin"),
    "by": (list, "must be owner, or a list of contact ids"),
}
"""Members that can be of two kinds: the one beside a text, and what to say where they are of neither."""

_WAYS = frozenset({"str", "literal['owner']", "Until", "Assignee", "tuple[str, ...]"})
"""What pydantic calls these kinds in the place of a mistake."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A mistake at a place; `of_name`: the name of the member is wrong, not what it holds."""

    place: tuple[Place, ...]
    sentence: str
    of_name: bool = False


def refused(error: ValidationError, value: object) -> list[Refused]:
    """Each mistake once; `value` is the plain data that was refused."""
    found = [_refused(each, value) for each in error.errors(include_url=False)]
    return list(dict.fromkeys(each for each in found if each is not None))


def _refused(error: ErrorDetails, value: object) -> Refused | None:
    place = error["loc"]
    way = next((at for at in range(1, len(place)) if place[at] in _WAYS and place[at - 1] in _CHOICES), None)
    if way is None:
        return _told(error, place)
    chosen, given = place[:way], _at(value, place[:way])
    beside, sentence = _CHOICES[chosen[-1]]
    if not isinstance(given, beside):
        return Refused(chosen, f"{sentence}, not {_short(given)}")
    if place[way] in ("str", "literal['owner']"):
        return None
    return _told(error, (*chosen, *place[way + 1 :]))


def _told(error: ErrorDetails, place: tuple[Place, ...]) -> Refused:
    kind, given = error["type"], error["input"]
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, DefinitionError):
        return Refused((*place, *cause.place), str(cause))
    if kind == "unexpected_keyword_argument":
        return Refused(place, _no_member(str(place[-1]), place[:-1]), of_name=True)
    if kind == "invalid_key" or place[-1:] == ("[key]",):
        at = place[:-1] if place[-1:] == ("[key]",) else place
        return Refused(at, "the name of a member must be a text: put it in quotes", of_name=True)
    if kind == "missing":
        return Refused(place, "is missing")
    return Refused(place, f"must be {_expected(error)}, not {_short(given)}")


def _expected(error: ErrorDetails) -> str:
    match error["type"]:
        case "string_type":
            return "a text in quotes" if isinstance(error["input"], (int, float)) else "a text"
        case "dataclass_type" | "dict_type":
            return "a mapping of names to values"
        case "tuple_type":
            return "a list"
        case "literal_error":
            return str(error.get("ctx", {})["expected"])
    return error["msg"].removeprefix("Input should be ")


def _no_member(name: str, place: Sequence[Place]) -> str:
    there = _members(tuple(each for each in place if isinstance(each, str)))
    near = get_close_matches(name, there, n=1, cutoff=0.6)
    if near:
        return f"there is no such member; did you mean {near[0]}?"
    return f"there is no such member; there are {', '.join(there)}"


@cache
def _members(names: tuple[str, ...]) -> tuple[str, ...]:
    """The members of what is at a place, told by the names on the way to it."""
    kind: Any = Definition
    for name in names:
        kind = _dataclass_in(get_type_hints(kind)[name])
    return tuple(each.name for each in fields(kind))


def _dataclass_in(hint: Any) -> Any:
    if is_dataclass(hint):
        return hint
    return next((found for each in get_args(hint) if (found := _dataclass_in(each)) is not None), None)


def _at(value: Any, place: Sequence[Place]) -> Any:
    for member in place:
        value = value[member]
    return value


def _short(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    told = repr(value)
    return told if len(told) <= 40 else told[:39] + "…"
