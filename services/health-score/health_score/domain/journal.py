"""Which facts were folded already: exact inside a stated window of facts and days, kept in memory by the partition's owner.

A fact is known by a 64-bit hash of its source and id; a second hash of its type, account and data tells a harmless repeat from
a conflict. (Two different ids share a hash once in 4·10¹³ facts at the default window.)
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """What one micro-batch folded: (id hash, body hash) pairs. Numbers grow with time."""

    number: int
    recorded_at: float
    facts: tuple[tuple[int, int], ...]


class Journal:
    """The window of one partition."""

    def __init__(self, *, window_s: float, most_facts: int) -> None:
        self._window_s = window_s
        self._most_facts = most_facts
        self._bodies: dict[int, int] = {}
        self._entries: deque[Entry] = deque()

    def known(self, id_hash: int) -> int | None:
        """The body hash of the fact with this id; None for a new one. Another body under a known id is a conflict."""
        return self._bodies.get(id_hash)

    def remember(self, entries: Iterable[Entry]) -> None:
        """Take in entries whose transactions are committed, oldest first."""
        for entry in entries:
            self._entries.append(entry)
            self._bodies.update(entry.facts)

    def expired(self, now: float) -> list[Entry]:
        """The entries that have left the window and may be forgotten, oldest first."""
        left = []
        facts = len(self._bodies)
        for entry in self._entries:
            if entry.recorded_at >= now - self._window_s and facts <= self._most_facts:
                break
            left.append(entry)
            facts -= len(entry.facts)
        return left

    def forget(self, entries: Iterable[Entry]) -> None:
        """Drop entries that `expired` returned."""
        for entry in entries:
            self._entries.popleft()
            for id_hash, _ in entry.facts:
                self._bodies.pop(id_hash, None)
