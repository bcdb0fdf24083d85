"""Equal ids are numbered, different ones are not confused, however many there are."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from csm_common.ids import derived_id
from csm_common.mapping.occurrences import Occurrences


@settings(deadline=None)  # each example makes a table of half a megabyte
@given(st.lists(st.integers(0, 20)))
def test_it_counts_as_a_counter_does(names: list[int]) -> None:
    occurrences, reference = Occurrences(), Counter[int]()
    for name in names:
        assert occurrences.number(derived_id("row", name)) == reference[name]
        reference[name] += 1


def test_it_grows_without_losing_what_it_knows() -> None:
    occurrences = Occurrences()
    ids = [derived_id("row", number) for number in range(45_000)]
    assert not any(occurrences.number(each) for each in ids)
    assert all(occurrences.number(each) == 1 for each in ids)


def test_it_tells_what_it_takes_up() -> None:
    occurrences = Occurrences()
    empty = occurrences.size
    for number in range(45_000):
        occurrences.number(derived_id("row", number))
    full = occurrences.size
    occurrences.number(derived_id("row", 0))

    assert empty < full < occurrences.size
