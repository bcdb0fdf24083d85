"""What the CEL library complains of, said to the person who wrote the condition, who need not know its types and overloads."""

import re
from difflib import get_close_matches

from playbooks.adapters.condition_variables import ACCOUNT_VARIABLES, RUN_VARIABLES
from playbooks.domain.scopes import Scope

FUNCTIONS = frozenset(
    {
        "size", "contains", "startsWith", "endsWith", "matches", "type", "dyn", "has", "all", "exists", "exists_one", "map",
        "filter", "bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint", "getFullYear", "getMonth",
        "getDate", "getDayOfMonth", "getDayOfYear", "getDayOfWeek", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
    }
)  # fmt: skip
"""Those of the language; https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions."""

_MEMBERS = {
    "Crossing": ("crossing", "threshold, direction, before, after"),
    "Step": ("what is known of a step", "outcome, path, task"),
    "Task": ("a step's task", "status, outcome"),
}
_KINDS = {
    "wrapper(double)": "a number", "double": "a number", "int": "a whole number", "int64": "a whole number",
    "uint": "a whole number", "uint64": "a whole number", "wrapper(string)": "a text", "string": "a text",
    "bool": "true or false", "null_type": "null", "bytes": "bytes", "map": "a mapping", "list": "a list",
    "google.protobuf.Duration": "a duration", "duration": "a duration", "google.protobuf.Timestamp": "an instant",
    "timestamp": "an instant", "Crossing": "the crossing", "Steps": "the steps", "Step": "a step", "Task": "a task",
}  # fmt: skip
_OVERLOAD = re.compile(
    r"[Nn]o matching overloads? ?(?:found)?(?: for)? ?:? ?'?([^'(]+)'?(?: applied to )?'?\((.*)\)'?$"
)
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_NO_FIELD = re.compile(r"undefined field '([^']+)' not found in struct '([^']+)'")
_NO_MEMBERS = re.compile(r"expression of type '(.*)' cannot be the operand of a select operation")
_NO_KEY = re.compile(r'Key not found in map : "?([^"]*)"?')
_MEANT = {"and": "&&", "or": "||", "=": "==", "=>": ">=", "“": "straight quotes", "”": "straight quotes"}
"""What people write who know other languages."""

_COMPARING = ("<", "<=", ">", ">=", "==", "!=")


def refused(complaint: str, expression: str, character: int, scope: Scope) -> str:
    """A complaint of the checker at a character (from 1) of the expression."""
    if found := _OVERLOAD.search(complaint):
        return no_overload(found[1], found[2])
    if found := _UNDECLARED.search(complaint):
        called = re.search(rf"\b{re.escape(found[1])}\s*$", expression[: character - 1]) is not None
        return _no_function(found[1]) if called else _no_variable(found[1], scope)
    if found := _NO_FIELD.search(complaint):
        return _no_member(found[1], found[2], scope)
    if found := _NO_MEMBERS.search(complaint):
        return f"{_kind(found[1])} has no members"
    if "Syntax error" in complaint:
        return _unreadable(complaint.split("Syntax error: ")[-1].split(" expecting ")[0])
    return complaint


def _unreadable(told: str) -> str:
    if "<EOF>" in told:
        return "it ends before it is complete"
    meant = next(
        (sign for word, sign in _MEANT.items() if f"'{word}'" in told.lower().replace(" '", "'")), None
    )
    return f"it cannot be read: {told}" + (f"; write {meant}" if meant else "")


def undecided(complaint: str, expression: str) -> str:
    """Why an account gives no answer."""
    told = complaint.split(": ", 1)[-1] if complaint[:1].isupper() else complaint
    if found := _NO_KEY.search(told):
        return _missing(found[1], expression)
    if found := _OVERLOAD.search(told):
        return no_overload(found[1], found[2])
    if "SELECT" in told:
        return "a member is asked of something that has none"
    return told


def no_overload(function: str, kinds: str) -> str:
    """An operator or function that cannot take these kinds of values."""
    name, told = function.strip("_@ ").replace("_", " "), [_kind(each) for each in _split(kinds)]
    if name in _COMPARING and len(told) == 2:
        return f"{told[0]} cannot be compared with {told[1]} by {name}"
    if name == "? :":
        return (
            f"before ? must come true or false, and both ends must be of a kind; here are {', '.join(told)}"
        )
    hint = ": write 1.0 rather than 1 beside numbers that can have a fraction" if _mixed(told) else ""
    return f"{name} does not take {' and '.join(told)}{hint}"


def kind_of(checked: str) -> str:
    """A type of the checker in words."""
    return _kind(checked)


def _mixed(kinds: list[str]) -> bool:
    return set(kinds) == {"a number", "a whole number"}


def _kind(name: str) -> str:
    name = name.strip()
    return _KINDS.get(name) or _KINDS.get(name.split("(")[0], name)


def _split(kinds: str) -> list[str]:
    """At the commas that are in no brackets."""
    parts, depth = [""], 0
    for each in kinds:
        depth += (each == "(") - (each == ")")
        if each == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += each
    return parts


def _no_function(name: str) -> str:
    if name in FUNCTIONS:
        return f"{name} does not take this number of arguments"
    return f"there is no function {name}; there are {', '.join(sorted(FUNCTIONS))}"


def _no_variable(name: str, scope: Scope) -> str:
    root = name.split(".")[0]
    if root in RUN_VARIABLES and scope.before is None:
        return f"{root} is known inside a run only, not to audience and goal"
    there = ACCOUNT_VARIABLES if scope.before is None else (*ACCOUNT_VARIABLES, *RUN_VARIABLES)
    if near := get_close_matches(root, there, n=1, cutoff=0.8):
        return f"there is no variable {root}; did you mean {near[0]}?"
    return f"there is no variable {root}; there are {', '.join(there)}; attributes are written account.{root}"


def _no_member(name: str, struct: str, scope: Scope) -> str:
    if struct != "Steps":
        told, members = _MEMBERS.get(struct, (struct, "none such"))
        return f"{told} has no {name}; it has {members}"
    if name in scope.others:
        return f"the step {name} cannot have been taken before this"
    there = ", ".join(sorted(scope.before or ())) or "none"
    return f"there is no step {name}; before this come {there}"


def _missing(name: str, expression: str) -> str:
    """Of which variable a member is missing can only be seen from the text."""
    found = re.search(rf"(\w+)\s*\.\s*{re.escape(name)}\b", expression)
    owner = found[1] if found else "account"
    if owner == "steps":
        return f"the step {name!r} has not been taken"
    if owner == "account":
        return f"the account has no {name!r}"
    return f"{owner} has no {name!r}"
