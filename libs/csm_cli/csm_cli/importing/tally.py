"""The account of an import: every row that was read is accepted, rejected or skipped, and the last two with their reasons."""

import msgspec


class Refused(msgspec.Struct):
    """Rows rejected alike, with one sentence as an example."""

    rows: int
    example: str


class SectionTally(msgspec.Struct):
    """The account of one section."""

    rows: int = 0
    accepted: int = 0
    rejected: dict[str, Refused] = {}
    skipped: dict[str, int] = {}

    def accept(self, rows: int) -> None:
        """Ingest acknowledged these rows."""
        self.rows += rows
        self.accepted += rows

    def reject(self, reason: str, example: str) -> None:
        """A row is at fault."""
        self.rows += 1
        known = self.rejected.setdefault(reason, Refused(0, example))
        known.rows += 1

    def skip(self, reason: str) -> None:
        """A row was left out on purpose."""
        self.rows += 1
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    @property
    def rejected_rows(self) -> int:
        """All rejected rows."""
        return sum(each.rows for each in self.rejected.values())

    @property
    def skipped_rows(self) -> int:
        """All rows left out on purpose."""
        return sum(self.skipped.values())


class Tally(msgspec.Struct):
    """The account of a whole import, by section."""

    sections: dict[str, SectionTally] = {}

    def section(self, name: str) -> SectionTally:
        """The account of that section, opened at its first row."""
        return self.sections.setdefault(name, SectionTally())

    @property
    def rows(self) -> int:
        """All rows read."""
        return sum(each.rows for each in self.sections.values())

    @property
    def accepted(self) -> int:
        """All rows that ingest acknowledged."""
        return sum(each.accepted for each in self.sections.values())

    @property
    def rejected(self) -> int:
        """All rows at fault."""
        return sum(each.rejected_rows for each in self.sections.values())
