"""Tables in memory that can be taken back: changed in place, with a journal of what was there before."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
RowT = TypeVar("RowT")
Find = Callable[[RowT], Hashable]
"""What an index knows a row by; None where it does not know it."""


class Journal:
    """What the open transaction has changed, as it was before. While it is not open, changes last as they are made."""

    def __init__(self) -> None:
        self._changes: list[tuple[Table[Any, Any], Any, Any]] = []
        self._open = False

    def begin(self) -> None:
        """From here on changes can be taken back."""
        self._open = True

    def note(self, table: "Table[Any, Any]", key: Hashable, before: object) -> None:
        """A row is about to change."""
        if self._open:
            self._changes.append((table, key, before))

    def written(self, table: "Table[Any, Any]") -> list[Hashable]:
        """Keys of the table's rows that the open transaction has changed."""
        return [key for changed, key, _ in self._changes if changed is table]

    def commit(self) -> None:
        """All of it lasts."""
        self._changes.clear()
        self._open = False

    def roll_back(self) -> None:
        """None of it lasts."""
        self._open = False
        for table, key, before in reversed(self._changes):
            table.restore(key, before)
        self._changes.clear()


class Table(dict[KeyT, RowT], Generic[KeyT, RowT]):
    """Rows by key; rows are never None. Change it through `put` and `drop` alone: they keep the indexes and the journal."""

    def __init__(self, journal: Journal, **indexes: Find[RowT]) -> None:
        super().__init__()
        self._journal = journal
        self._finds = indexes
        self._found: dict[str, dict[Hashable, dict[KeyT, None]]] = {name: {} for name in indexes}
        self.ordered: list[Ordered[KeyT, RowT]] = []

    def put(self, key: KeyT, row: RowT) -> None:
        """Write the row, whether there is one already or not."""
        self._journal.note(self, key, self.get(key))
        self.restore(key, row)

    def drop(self, key: KeyT) -> RowT:
        """Take the row away; KeyError where there is none."""
        row = self[key]
        self._journal.note(self, key, row)
        self.restore(key, None)
        return row

    def find(self, index: str, wanted: Hashable) -> list[RowT]:
        """The rows that the index knows by that."""
        return [self[key] for key in self._found[index].get(wanted, ())]

    def restore(self, key: KeyT, row: RowT | None) -> None:
        """The row as it is to be, beside the journal; None takes it away."""
        before = self.get(key)
        if before is not None:
            self._forget(key, before)
        if row is None:
            self.pop(key, None)
        else:
            self[key] = row
            self._index(key, row)

    def _index(self, key: KeyT, row: RowT) -> None:
        for name, find in self._finds.items():
            if (found := find(row)) is not None:
                self._found[name].setdefault(found, {})[key] = None
        for each in self.ordered:
            each.add(key, row)

    def _forget(self, key: KeyT, row: RowT) -> None:
        for name, find in self._finds.items():
            if (found := find(row)) is not None:
                keys = self._found[name][found]
                del keys[key]
                if not keys:
                    del self._found[name][found]
        for each in self.ordered:
            each.remove(key, row)


class Ordered(Generic[KeyT, RowT]):
    """A table's rows in the order of what `sort` gives; those it gives None for are left out."""

    def __init__(self, table: Table[KeyT, RowT], sort: Callable[[RowT], Any]) -> None:
        self._sort = sort
        self._rows: list[tuple[Any, KeyT]] = []
        self._table = table
        table.ordered.append(self)

    def __iter__(self) -> Iterator[RowT]:
        return (self._table[key] for _, key in self._rows)

    def add(self, key: KeyT, row: RowT) -> None:
        """The row has come."""
        if (at := self._sort(row)) is not None:
            insort(self._rows, (at, key))

    def remove(self, key: KeyT, row: RowT) -> None:
        """The row, as it was when it came, has gone."""
        if (at := self._sort(row)) is not None:
            del self._rows[bisect_left(self._rows, (at, key))]

    def count(self, after: Any, until: Any) -> int:
        """How many rows lie behind `after`, and not behind `until`."""
        first, last = (bisect_right(self._rows, each, key=_sort_key) for each in (after, until))
        return last - first


def _sort_key(row: tuple[Any, Any]) -> Any:
    return row[0]
