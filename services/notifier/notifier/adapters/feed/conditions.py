"""Conditions of subscriptions in CEL: tried once when they are saved, asked at every change."""

import re
from collections.abc import Collection, Sequence
from typing import Any

import cel

from csm_common.errors import InvalidError
from notifier.domain.subscriptions import Condition, Standing

VARIABLES = ("account", "account_id", "score", "band", "coverage")

_LONGEST = 4_000
_REMEMBERED = 10_000
_COMPLAINT = re.compile(r"<input>:\d+:(\d+): (?:Syntax error: )?(.+?)(?: expecting .*)?$", re.MULTILINE)
_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_]\w*)\s*,")
_WORD = re.compile(r"\baccount\b")
_ATTRIBUTE = re.compile(r"\baccount\s*\.\s*([A-Za-z_]\w*)\b(?!\s*\()")
_SAMPLE = Standing(account_id="sample", score=50.5, band="sample", coverage=0.5, attributes={})

_FUNCTIONS = frozenset(
    {
        "size", "contains", "startsWith", "endsWith", "matches", "type", "dyn",
        "string", "int", "uint", "double", "bytes", "duration", "timestamp",
        "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfYear", "getDayOfWeek",
        "getHours", "getMinutes", "getSeconds", "getMilliseconds",
    }
)  # fmt: skip
"""Those that a program knows; any other is only missed once it is called, and then the condition would hold for nobody."""


def check_condition(expression: str) -> None:
    """InvalidError with the character at fault where it can never be true or false."""
    if len(expression) > _LONGEST:
        raise _mistake(f"it has more than {_LONGEST} characters", _LONGEST)
    try:
        program = cel.compile(expression)
    except ValueError as refused:
        told = _COMPLAINT.search(str(refused))
        if told is None:
            raise _mistake(str(refused).splitlines()[0], 1) from refused
        raise _mistake(told[2], int(told[1])) from refused
    _names(expression, program)
    try:
        _holds(program, _SAMPLE)
    except KeyError:
        pass  # the sample has no attributes
    except Exception as refused:
        raise _mistake(str(refused).splitlines()[0], 1) from refused


def stored_condition(expression: str) -> Condition:
    """The condition of an expression that was checked when saved; an account that lacks what it speaks of does not meet it."""
    try:
        program = cel.compile(expression)
    except ValueError:  # an older build took it
        return lambda standing: False

    used, names = frozenset(program.variables()), _attributes(expression)

    def condition(standing: Standing) -> bool:
        try:
            return _holds(program, standing, used, names)
        except Exception:  # an attribute is missing, or of another kind than the condition expects
            return False

    return _remembering(condition, sorted(names)) if names is not None and used <= {"account"} else condition


def _remembering(condition: Condition, names: Sequence[str]) -> Condition:
    """The same for a condition on these attributes alone: accounts share their values, and asking costs twenty times more."""
    answers: dict[object, bool] = {}

    def remembered(standing: Standing) -> bool:
        told = standing.attributes
        # With their kinds: 1 and true are equal here, but not in a condition.
        key = tuple((name in told, type(told.get(name)), told.get(name)) for name in names)
        try:
            known = answers.get(key)
        except TypeError:  # a list or a mapping
            return condition(standing)
        if known is None:
            if len(answers) >= _REMEMBERED:
                answers.clear()
            known = answers[key] = condition(standing)
        return known

    return remembered


def _names(expression: str, program: cel.Program) -> None:
    known = {*VARIABLES, *_BOUND.findall(expression)}
    for name in program.variables():
        if name not in known:
            raise _mistake(
                f"there is no variable {name}; there are {', '.join(VARIABLES)}", _place(expression, name)
            )
    for name in program.functions():
        if name.isidentifier() and name not in _FUNCTIONS:
            told = f"there is no function {name}; there are {', '.join(sorted(_FUNCTIONS))}"
            raise _mistake(told, _place(expression, name))


def _place(expression: str, name: str) -> int:
    found = re.search(rf"\b{re.escape(name)}\b", expression)
    return found.start() + 1 if found else 1


def _attributes(expression: str) -> frozenset[str] | None:
    """The attributes that the expression speaks of; None where it may look at all of them.

    Handing over one attribute costs a fifth of handing over an account.
    """
    names = _ATTRIBUTE.findall(expression)
    return frozenset(names) if len(names) == len(_WORD.findall(expression)) else None


def _holds(
    program: cel.Program,
    standing: Standing,
    used: Collection[str] = VARIABLES,
    names: Collection[str] | None = None,
) -> bool:
    told = standing.attributes
    if "account" in used:
        told = dict(told) if names is None else {name: told[name] for name in names if name in told}
    variables: dict[str, Any] = {
        "account": told,
        "account_id": standing.account_id,
        "score": standing.score,
        "band": standing.band,
        "coverage": standing.coverage,
    }
    answer = program.execute({name: variables[name] for name in used if name in variables})
    if not isinstance(answer, bool):
        raise TypeError(f"it gives {answer!r}, not true or false")
    return answer


def _mistake(sentence: str, character: int) -> InvalidError:
    mistake = {"at": "filters.where", "character": character, "message": sentence}
    return InvalidError(f"filters.where, at character {character}: {sentence}", errors=[mistake])
