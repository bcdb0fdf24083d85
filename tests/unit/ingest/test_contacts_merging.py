"""Contacts are merged field by field, in whatever order facts arrive."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START
from tests.unit.ingest.contacts_contract import ContactsContract
from tests.unit.ingest.memory_contacts import MemoryContacts

from ingest.domain.contacts import KnownContact, Told


class TestMemoryContacts(ContactsContract):
    @pytest.fixture
    def contacts(self) -> MemoryContacts:
        return MemoryContacts()


@st.composite
def told(draw: st.DrawFn) -> list[KnownContact]:
    """What some facts told, each at a time of its own."""
    minutes = draw(st.lists(st.integers(0, 99), min_size=1, max_size=5, unique=True))
    names = st.dictionaries(st.sampled_from(["name", "email", "role"]), st.integers())
    found = []
    for minute in minutes:
        at = START + timedelta(minutes=minute)
        fields, consents = ({n: Told(v, at) for n, v in draw(names).items()} for _ in range(2))
        found.append(KnownContact(fields, consents, at))
    return found


def merged(facts: list[KnownContact]) -> KnownContact:
    first, *rest = facts
    for each in rest:
        first = first.merged(each)
    return first


@given(told(), st.randoms(use_true_random=False))
def test_any_order_gives_the_same_contact_and_a_repeat_changes_nothing(
    facts: list[KnownContact], random: Random
) -> None:
    shuffled = list(facts)
    random.shuffle(shuffled)
    whole = merged(facts)
    assert merged(shuffled) == whole
    assert merged([whole, *shuffled]) == whole
