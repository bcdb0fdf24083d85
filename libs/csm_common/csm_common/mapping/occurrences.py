"""Tells identical rows apart: the first of equal ones is number 0, the next 1, and so on."""

from array import array

_FIRST_SLOTS = 1 << 16
_FULL = 0.6
_REPEAT_BYTES = 100


class Occurrences:
    """Counts derived ids in one flat table of 8 bytes a slot: 13 to 27 bytes a row, where a set takes 75.

    Sets of many million rows without a natural key are the reason. It looks at 62 random bits of the id; should two
    ids share them (one chance in 200,000 at seven million rows), the later is numbered 1, in every run alike.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self._used = 0
        self._repeats: dict[int, int] = {}

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return 8 * len(self._slots) + _REPEAT_BYTES * len(self._repeats)

    def number(self, derived_id: str) -> int:
        """How often this id was met before."""
        digest = int(
            derived_id[19:23] + derived_id[24:], 16
        )  # never 0, which marks a free slot: the variant bit is set
        if self._insert(digest):
            return 0
        repeat = self._repeats.get(digest, 0) + 1
        self._repeats[digest] = repeat
        return repeat

    def _insert(self, digest: int) -> bool:
        slots = self._slots
        mask = len(slots) - 1
        place = digest & mask
        while found := slots[place]:
            if found == digest:
                return False
            place = (place + 1) & mask
        slots[place] = digest
        self._used += 1
        if self._used > _FULL * len(slots):
            self._grow()
        return True

    def _grow(self) -> None:
        full = self._slots
        self._slots = array("Q", bytes(16 * len(full)))
        self._used = 0
        for digest in full:
            if digest:
                self._insert(digest)
