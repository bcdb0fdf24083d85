"""Time to recovery where some accounts have not recovered yet."""

from hypothesis import given
from hypothesis import strategies as st

from playbooks.domain.recovery import Observed, recovery_of


def test_kaplan_and_meiers_estimate_is_the_textbooks() -> None:
    """Remission under 6-mercaptopurine (Freireich 1963; Cox, Oakes, Analysis of Survival Data, 1984): the median is 23 weeks."""
    ended = {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1}
    censored = {6: 1, 9: 1, 10: 1, 11: 1, 17: 1, 19: 1, 20: 1, 25: 1, 32: 2, 34: 1, 35: 1}
    weeks = sorted({*ended, *censored})
    found = recovery_of([Observed(week, ended.get(week, 0), censored.get(week, 0)) for week in weeks])
    assert (found.accounts, found.recovered, found.median_hours) == (21, 9, 23)


def test_the_placebo_arm_of_the_same_study_has_its_plain_median() -> None:
    weeks = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    assert recovery_of([Observed(week, 1, 0) for week in weeks]).median_hours == 8


def test_there_is_no_median_while_fewer_than_half_have_recovered() -> None:
    found = recovery_of([Observed(5, 2, 0), Observed(90, 0, 3)])
    assert (found.share, found.median_hours) == (0.4, None)


def test_of_no_accounts_nothing_is_known() -> None:
    found = recovery_of([])
    assert (found.accounts, found.share, found.median_hours) == (0, None, None)


observations = st.lists(
    st.builds(Observed, st.integers(0, 1000), st.integers(0, 20), st.integers(0, 20)), max_size=30
)


@given(observations)
def test_the_median_is_an_age_at_which_accounts_recovered(observed: list[Observed]) -> None:
    found = recovery_of(observed)
    assert found.median_hours in {None, *(each.hours for each in observed if each.recovered)}


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=50))
def test_without_waiting_accounts_the_median_is_the_plain_one(hours: list[int]) -> None:
    found = recovery_of([Observed(each, 1, 0) for each in hours])
    assert found.median_hours == sorted(hours)[(len(hours) - 1) // 2]
    assert found.share == 1


@given(observations)
def test_waiting_accounts_only_ever_put_the_median_off(observed: list[Observed]) -> None:
    known = recovery_of([Observed(each.hours, each.recovered, 0) for each in observed]).median_hours
    found = recovery_of(observed).median_hours
    assert found is None or (known is not None and known <= found)
