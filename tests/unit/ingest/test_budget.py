"""The bound on bytes in flight."""

import pytest

from csm_common.errors import TransientError
from ingest.application.budget import Budget


def test_what_is_held_is_given_back() -> None:
    budget = Budget(100)

    with budget.hold() as first, budget.hold() as second:
        first.grow(60)
        second.grow(30)
        second.grow(10)
        assert budget.held == 100
    assert budget.held == 0


def test_what_does_not_fit_is_turned_away_and_holds_nothing() -> None:
    budget = Budget(100)

    with budget.hold() as first, budget.hold() as second:
        first.grow(60)
        with pytest.raises(TransientError) as refused:
            second.grow(41)
        assert refused.value.code == "overloaded"
        assert budget.held == 60
        second.grow(40)


def test_a_lone_request_always_fits() -> None:
    budget = Budget(100)

    with budget.hold() as hold:
        hold.grow(150)
        hold.grow(150)
        assert budget.held == 300
    assert budget.held == 0


def test_an_error_inside_gives_back_too() -> None:
    budget = Budget(100)

    def fails() -> None:
        with budget.hold() as hold:
            hold.grow(60)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert budget.held == 0
