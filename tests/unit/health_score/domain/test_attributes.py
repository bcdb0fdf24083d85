"""What is known of an account: the newer event wins, field by field."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import NOW, fact, thorough

from health_score.domain.attributes import Stamp, flattened, merge
from health_score.domain.fact import Fact

CHANGED = "csm.account.changed"


def merged(*facts: Fact) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    stamps: dict[str, Stamp] = {}
    for each in facts:
        merge(attributes, stamps, each)
    assert stamps.keys() == attributes.keys()
    return attributes


def test_an_older_event_never_overwrites_a_newer_one() -> None:
    newer, older = fact(CHANGED, NOW, plan="pro"), fact(CHANGED, NOW - 1, plan="free", segment="smb")
    assert merged(newer, older) == merged(older, newer) == {"plan": "pro", "segment": "smb"}


def test_absent_and_null_fields_stay_as_they_were() -> None:
    assert merged(fact(CHANGED, NOW, plan="pro"), fact(CHANGED, NOW + 1, plan=None)) == {"plan": "pro"}


def test_custom_attributes_stand_beside_the_standard_ones_and_never_in_for_them() -> None:
    told = fact(
        CHANGED, NOW, name="Acme", attributes={"tier": "gold", "name": "Evil", "arr": 1, "attributes": 2}
    )
    assert merged(told) == {"name": "Acme", "tier": "gold"}
    assert flattened({"tier": "own", "attributes": {"tier": "custom"}}) == {"tier": "own"}
    assert merged(fact(CHANGED, NOW, plan="pro", attributes="odd")) == {"plan": "pro"}


def test_an_integer_that_fits_no_store_is_passed_over() -> None:
    huge = 10**30
    assert merged(fact(CHANGED, NOW, a=huge, b=[huge], c={"d": huge}, e=[1, {"f": 2}])) == {
        "e": [1, {"f": 2}]
    }


def test_it_tells_whether_anything_changed() -> None:
    attributes: dict[str, Any] = {}
    stamps: dict[str, Stamp] = {}
    assert merge(attributes, stamps, fact(CHANGED, NOW, plan="pro"))
    assert not merge(attributes, stamps, fact(CHANGED, NOW + 1, plan="pro"))
    assert not merge(attributes, stamps, fact(CHANGED, NOW, plan="free"))
    assert merge(attributes, stamps, fact(CHANGED, NOW + 2, plan="free"))


changes = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.dictionaries(st.sampled_from(["plan", "arr", "tier"]), st.integers(0, 3) | st.none()),
        st.dictionaries(st.sampled_from(["plan", "tier", "score"]), st.integers(0, 3)),
    ),
    max_size=8,
).map(
    lambda found: [
        Fact(f"e{at}", CHANGED, "acme", NOW + time, {**data, "attributes": custom})
        for at, (time, data, custom) in enumerate(found)
    ]
)


@thorough
@given(changes, st.data())
def test_any_order_gives_the_same_attributes(facts: list[Fact], data: st.DataObject) -> None:
    in_order: dict[str, Any] = {}
    for each in sorted(facts, key=lambda each: (each.time, each.id)):
        in_order |= {
            name: value
            for name, value in flattened(each.data).items()
            if value is not None and name != "attributes"
        }
    assert merged(*data.draw(st.permutations(facts))) == in_order
