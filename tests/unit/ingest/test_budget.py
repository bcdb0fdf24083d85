"""The bound on bytes in flight."""

import pytest

from csm_common.errors import TransientError
from ingest.application.budget import Budget


def test_what_is_held_is_given_back() -> None:
    budget = Budget(100)

    with budget.hold(60), budget.hold(40):
        assert budget.held == 100
    assert budget.held == 0


def test_what_does_not_fit_is_turned_away_and_holds_nothing() -> None:
    budget = Budget(100)

    with budget.hold(60):
        with pytest.raises(TransientError) as refused, budget.hold(41):
            raise AssertionError("it does not fit")
        assert refused.value.code == "overloaded"
        assert budget.held == 60


def test_a_lone_request_always_fits() -> None:
    budget = Budget(100)

    with budget.hold(150) as hold:
        hold.grow(150)
        assert budget.held == 300
    assert budget.held == 0


def test_growing_counts_against_the_others() -> None:
    budget = Budget(100)

    with budget.hold(50), budget.hold(20) as hold:
        hold.grow(30)
        with pytest.raises(TransientError):
            hold.grow(1)
        assert budget.held == 100
    assert budget.held == 0


def test_an_error_inside_gives_back_too() -> None:
    budget = Budget(100)

    with pytest.raises(ZeroDivisionError), budget.hold(60):
        raise ZeroDivisionError
    assert budget.held == 0
