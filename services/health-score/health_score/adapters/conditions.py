"""Conditions of scorecards in CEL over an account's attributes: compiled and tried once, asked when attributes change."""

import re
from collections.abc import Mapping
from typing import Any

import cel

from health_score.domain.model import Applies

_VARIABLE = "account"
_COMPLAINT = re.compile(r"<input>:\d+:(\d+): (?:Syntax error: )?(.+?)(?: expecting .*)?$", re.MULTILINE)


_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_]\w*)\s*,")
_WORD = re.compile(rf"\b{_VARIABLE}\b")
_ATTRIBUTE = re.compile(rf"\b{_VARIABLE}\s*\.\s*([A-Za-z_]\w*)\b(?!\s*\()")

_FUNCTIONS = frozenset(
    {
        "size", "contains", "startsWith", "endsWith", "matches", "type", "dyn",
        "string", "int", "uint", "double", "bytes", "duration", "timestamp",
        "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfYear", "getDayOfWeek",
        "getHours", "getMinutes", "getSeconds", "getMilliseconds",
    }
)  # fmt: skip
"""Those that a program knows; any other is only missed once it is called, and then the condition would hold for nobody."""


def compile_condition(expression: str) -> Applies:
    """The condition of a CEL expression over `account`, the attributes; ValueError where it can never be true or false.

    An account that lacks an attribute the condition speaks of does not meet it.
    """
    try:
        program = cel.compile(expression)
    except ValueError as refused:
        raise ValueError(_one_line(refused)) from refused
    known = {_VARIABLE, *_BOUND.findall(expression)}
    if unknown := [name for name in program.variables() if name not in known]:
        raise ValueError(
            f"there is no variable {unknown[0]}; an account's attributes are {_VARIABLE}.segment and the like"
        )
    if missing := [each for each in program.functions() if each.isidentifier() and each not in _FUNCTIONS]:
        raise ValueError(f"there is no function {missing[0]}; there are {', '.join(sorted(_FUNCTIONS))}")
    try:
        _meets(program, {})
    except KeyError:
        pass  # an account without attributes
    except Exception as refused:
        raise ValueError(_one_line(refused)) from refused

    names = _attributes(expression)

    def applies(attributes: Mapping[str, Any]) -> bool:
        if names is not None:
            attributes = {name: attributes[name] for name in names if name in attributes}
        try:
            return _meets(program, attributes)
        except Exception:  # an attribute is missing, or of another kind than the condition expects
            return False

    return applies


def _attributes(expression: str) -> frozenset[str] | None:
    """The attributes that the expression speaks of; None where it may look at all of them.

    Handing over one attribute costs a fifth of handing over an account.
    """
    names = _ATTRIBUTE.findall(expression)
    return frozenset(names) if len(names) == len(_WORD.findall(expression)) else None


def _meets(program: cel.Program, attributes: Mapping[str, Any]) -> bool:
    answer = program.execute({_VARIABLE: dict(attributes)})
    if not isinstance(answer, bool):
        raise TypeError(f"it gives {answer!r}, not true or false")
    return answer


def _one_line(error: Exception) -> str:
    """The first complaint of the parser, without the list of all that it would have liked better."""
    told = _COMPLAINT.search(str(error))
    if told is not None:
        return f"{told[2]} at character {told[1]} of it"
    return str(error).splitlines()[0].rstrip(".")
