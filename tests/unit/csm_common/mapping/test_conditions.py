"""The small tests of `when` and `skip`."""

from operator import itemgetter

import pytest

from csm_common.mapping.conditions import check_test, compile_condition, compile_test


@pytest.mark.parametrize(
    ("test", "holds_for", "fails_for"),
    [
        (None, [None], ["", "x", 0]),
        ("open", ["open"], ["Open", None]),
        (["open", "new"], ["open", "new"], ["closed", None]),
        (0, ["0", "0.0", 0, 0.0], ["", None, "x", 1, False]),
        (2.5, ["2.50"], ["2"]),
        (True, [True, "true", "True"], ["1", False, None]),
        ({"not": None}, ["x", 0], [None]),
        ({"not": ["a", None]}, ["b"], ["a", None]),
        ([None, "x"], [None, "x"], ["y"]),
    ],
)
def test_a_test_holds_or_not(test: object, holds_for: list[object], fails_for: list[object]) -> None:
    holds = compile_test(check_test(test))
    assert [each for each in holds_for if not holds(each)] == []
    assert [each for each in fails_for if holds(each)] == []


@pytest.mark.parametrize("test", [[], [["a"]], {"not": 1, "and": 2}, {"is": 1}, {}])
def test_what_is_no_test_is_told(test: object) -> None:
    with pytest.raises(ValueError, match="a test is null, a text"):
        check_test(test)


def test_all_tests_of_a_condition_must_hold() -> None:
    holds = compile_condition({"a": "1", "b": {"not": None}}, itemgetter)
    assert holds({"a": "1", "b": "x"})
    assert not holds({"a": "1", "b": None})
    assert not holds({"a": "2", "b": "x"})
