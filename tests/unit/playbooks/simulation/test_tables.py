"""Tables in memory: what a transaction that raises has done is as if it had never been, indexes included."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from playbooks.adapters.memory.tables import Journal, Ordered, Table

KEYS = st.sampled_from("abcd")
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.tuples(st.integers(0, 3), st.none() | st.integers(0, 5))))
Change = tuple[str, tuple[int, int | None] | None]


@dataclass(frozen=True)
class Row:
    kind: int
    at: int | None


def a_table(journal: Journal) -> tuple[Table[str, Row], Ordered[str, Row]]:
    table: Table[str, Row] = Table(journal, kind=lambda row: row.kind or None)
    return table, Ordered(table, lambda row: row.at)


def change(table: Table[str, Row], changes: list[Change]) -> None:
    for key, row in changes:
        if row is not None:
            table.put(key, Row(*row))
        elif key in table:
            table.drop(key)


def seen(table: Table[str, Row], ordered: Ordered[str, Row]) -> object:
    """All that can be asked of it."""
    found = {kind: sorted(map(repr, table.find("kind", kind))) for kind in range(4)}
    return dict(table), found, list(ordered), ordered.count(0, 3)


@given(CHANGES, CHANGES)
def test_what_is_taken_back_was_never_there(before: list[Change], during: list[Change]) -> None:
    journal = Journal()
    table, ordered = a_table(journal)
    change(table, before)
    then = seen(table, ordered)
    journal.begin()
    change(table, during)
    journal.roll_back()
    assert seen(table, ordered) == then


@given(CHANGES, CHANGES)
def test_what_is_committed_lasts(before: list[Change], during: list[Change]) -> None:
    journal, plain = Journal(), Journal()
    table, ordered = a_table(journal)
    change(table, before)
    journal.begin()
    change(table, during)
    journal.commit()
    journal.begin()
    journal.roll_back()
    expected, expected_order = a_table(plain)
    change(expected, before + during)
    assert seen(table, ordered) == seen(expected, expected_order)


@given(CHANGES)
def test_the_order_is_that_of_the_rows(changes: list[Change]) -> None:
    table, ordered = a_table(Journal())
    change(table, changes)
    timed = sorted((row.at, key) for key, row in table.items() if row.at is not None)
    assert list(ordered) == [table[key] for _, key in timed]
    assert ordered.count(0, 3) == sum(0 < at <= 3 for at, _ in timed)
    for kind in range(1, 4):
        found = [row for row in table.values() if row.kind == kind]
        assert sorted(map(repr, table.find("kind", kind))) == sorted(map(repr, found))
    assert table.find("kind", 0) == []
