"""`when` and `skip`: small tests on columns. All of a condition's tests must hold.

A test is null (the value is missing), a text, a number or a boolean (equals), a list of those (any of them),
or `{not: test}`.
"""

from collections.abc import Callable, Mapping
from typing import Any

Row = Any
Getter = Callable[[Row], Any]
Holds = Callable[[Row], bool]


def check_test(test: object) -> object:
    """`test` itself when it is one; ValueError with the grammar otherwise."""
    match test:
        case None | str() | bool() | int() | float():
            return test
        case list() if test and not any(isinstance(each, list) for each in test):
            return [check_test(each) for each in test]
        case {"not": negated, **rest} if not rest:
            return {"not": check_test(negated)}
    raise ValueError("a test is null, a text, a number, true, false, a list of those, or {not: test}")


def compile_condition(condition: Mapping[str, object], column: Callable[[str], Getter]) -> Holds:
    """A function that tells whether the condition holds for a row; `column` makes the reader of a column by name."""
    tests = [(column(name), compile_test(test)) for name, test in condition.items()]
    if len(tests) == 1:
        ((only, test),) = tests
        return lambda row: test(only(row))
    return lambda row: all(test(read(row)) for read, test in tests)


def compile_test(test: object) -> Callable[[Any], bool]:
    """A function that tells whether the test holds for one value; None stands for a missing one."""
    match test:
        case None:
            return lambda value: value is None
        case bool():
            return lambda value: str(value).lower() == str(test).lower()
        case int() | float():
            return lambda value: _number(value) == test
        case list():
            tests = [compile_test(each) for each in test]
            return lambda value: any(each(value) for each in tests)
        case {"not": negated}:
            holds = compile_test(negated)
            return lambda value: not holds(value)
    return lambda value: value == test


def _number(value: object) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
