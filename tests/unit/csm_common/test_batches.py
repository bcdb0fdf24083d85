"""What was fetched is cut by keys: nothing is lost, doubled or reordered, and no batch has more keys than it may."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from csm_common.kafka.batches import batches
from csm_common.kafka.record import Record

fetched = st.dictionaries(
    st.tuples(st.just("t"), st.integers(0, 3)),
    st.lists(st.sampled_from([None, b"a", b"b", b"c", b"d", b"e"]), min_size=1, max_size=12),
    max_size=3,
).map(
    lambda found: {
        partition: [Record(partition[0], partition[1], at, 0.0, key, b"") for at, key in enumerate(keys)]
        for partition, keys in found.items()
    }
)


@given(fetched, st.integers(1, 7))
def test_all_records_in_the_order_of_their_partitions(
    fetched: dict[tuple[str, int], list[Record]], most_keys: int
) -> None:
    cut = list(batches(fetched, most_keys))
    for partition, records in fetched.items():
        assert list(chain.from_iterable(each.get(partition, []) for each in cut)) == records
    for each in cut:
        assert each
        assert len({record.key for records in each.values() for record in records}) <= most_keys


def test_many_records_of_few_keys_are_one_batch() -> None:
    records = [Record("t", 0, at, 0.0, b"ab"[at % 2 :], b"") for at in range(1_000)]
    assert list(batches({("t", 0): records}, 2)) == [{("t", 0): records}]
