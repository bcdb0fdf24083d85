"""Conditions type-checked when they are saved: the CEL library's own checker, over variables declared as they are.

Attributes can hold anything, so what is done with `account.…` is only known when it is asked. The checker knows no comparison of
a whole number with one that has a fraction, though evaluation does (`score < 50`): those complaints are dropped, and a trial on a
typical account finds what hides behind them.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, wrappers_pb2

from playbooks.adapters import condition_words as words
from playbooks.domain.scopes import Scope

_LONGEST = 4_000

_TEXT, _NUMBER = ".google.protobuf.StringValue", ".google.protobuf.DoubleValue"
_NUMBERS = {"int", "uint", "double", "wrapper(double)"}
_COMPLAINT = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*?)(?: \[[A-Z_]+\])?$", re.MULTILINE)
_COMPARISON = re.compile(
    r"found no matching overload for '_(?:<|<=|>|>=|==|!=)_' applied to '\((.*), (.*)\)'"
)
_NO_NAME = re.compile(r"undeclared reference to '([\w.]+)\.\w+'")
_NO_TRUTH = re.compile(r"found no matching overload for '_\?_:_' applied to '\((.*), bool, bool\)'")

_T = cel.Type
_ACCOUNT = {
    "account": _T.Map(_T.STRING, _T.DYN),
    "account_id": _T.STRING,
    "score": _T(_NUMBER[1:]),
    "band": _T(_TEXT[1:]),
    "coverage": _T.DOUBLE,
    "dimensions": _T.Map(_T.STRING, _T(_NUMBER[1:])),
    "measures": _T.Map(_T.STRING, _T(_NUMBER[1:])),
    "values": _T.Map(_T.STRING, _T(_NUMBER[1:])),
    "thresholds": _T.List(_T.STRING),
    "backfilling": _T.BOOL,
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with an expression, at a character of it, from 1."""

    sentence: str
    character: int


def complaints(expression: str, scope: Scope) -> list[Complaint]:
    """All that is wrong with a condition, in its order; nothing where it can be true or false."""
    if len(expression) > _LONGEST:
        return [Complaint(f"it has more than {_LONGEST} characters", _LONGEST)]
    environment = _environment(scope.before)
    unread = _errors(environment, expression, check=False)
    if unread:
        return [_told(unread[0], expression, scope)]
    # As the condition of another expression, what gives no truth is refused as well.
    wrapped = [(at - 1, told) for at, told in _errors(environment, f"({expression}\n) ? true : false")]
    return [_told(each, expression, scope) for each in wrapped if not _to_be_dropped(each[1])]


def _errors(environment: cel.Env, expression: str, *, check: bool = True) -> list[tuple[int, str]]:
    """Complaints with the offset (from 0) of the character they are about."""
    try:
        environment.compile(expression, not check)
    except RuntimeError as refused:
        starts = [0, *(found.end() for found in re.finditer("\n", expression))]
        found = _COMPLAINT.findall(str(refused)) or [("1", "1", str(refused).splitlines()[0])]
        # Where it cannot tell the line it tells the one after the last.
        return [
            (starts[min(int(line), len(starts)) - 1] + int(column) - 1, told) for line, column, told in found
        ]
    return []


def _to_be_dropped(complaint: str) -> bool:
    """What follows from another complaint, and comparisons of numbers with and without a fraction."""
    if "*error*" in complaint:
        return True
    compared = _COMPARISON.search(complaint)
    return compared is not None and {compared[1], compared[2]} <= _NUMBERS


def _told(error: tuple[int, str], expression: str, scope: Scope) -> Complaint:
    offset, complaint = error
    character = min(max(_start(offset, complaint, expression), 0), len(expression)) + 1
    if found := _NO_TRUTH.search(complaint):
        return Complaint(f"it gives {words.kind_of(found[1])}, not true or false", 1)
    return Complaint(words.refused(complaint, expression, character, scope), character)


def _start(offset: int, complaint: str, expression: str) -> int:
    """Of an unknown name with members the checker tells where the last dot is; the name begins before it."""
    found = _NO_NAME.search(complaint)
    if found is None:
        return offset
    begins = offset - len(found[1])
    return begins if expression[begins:offset] == found[1] else offset


@lru_cache(maxsize=256)
def _environment(steps: frozenset[str] | None) -> cel.Env:
    """The variables of a scope with their types. Crossing and steps are messages, whose members the checker knows."""
    if steps is None:
        return cel.NewEnv(variables=_ACCOUNT)
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(_messages(steps))
    return cel.NewEnv(pool, variables={**_ACCOUNT, "crossing": _T("Crossing"), "steps": _T("Steps")})


def _messages(steps: frozenset[str]) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="conditions.proto", syntax="proto3", dependency=["google/protobuf/wrappers.proto"]
    )
    of_each = {
        "Crossing": {"threshold": _TEXT, "direction": _TEXT, "before": _NUMBER, "after": _NUMBER},
        "Task": {"status": _TEXT, "outcome": _TEXT},
        "Step": {"outcome": _TEXT, "path": _TEXT, "task": ".Task"},
        "Steps": dict.fromkeys(sorted(steps), ".Step"),
    }
    for name, members in of_each.items():
        message = file.message_type.add(name=name)
        for number, (member, kind) in enumerate(members.items(), 1):
            message.field.add(name=member, number=number, label=1, type=11, type_name=kind)
    return file
