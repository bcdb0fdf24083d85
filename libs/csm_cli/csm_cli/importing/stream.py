"""All rows of an import in one line, each with what became of it: the files one after the other, section by section."""

from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from csm_cli.importing.files import Plan, Reading
from csm_cli.importing.mapper import Event, Frame, MapRow, Skipped, compile_section
from csm_cli.importing.rows import Broken, RowFile
from csm_common.errors import InvalidError
from csm_common.mapping.conditions import Row
from csm_common.mapping.occurrences import Occurrences
from csm_common.mapping.rejection import RejectedRowError


class Place(NamedTuple):
    """Where rows come from; `header` names the fields of CSV rows."""

    section: str
    path: Path
    header: list[str] | None

    def named(self, row: Row) -> Any:
        """A row as a person reads it: an object of its columns; what is broken stays as it is."""
        fits = self.header is not None and isinstance(row, list) and len(row) == len(self.header)
        return dict(zip(self.header or (), row, strict=True)) if fits else row


class Outcome(msgspec.Struct, frozen=True):
    """One row, with its line in the file (the last one, where a CSV row spans several) and what became of it.

    A Struct because one is made per row: it takes a sixth of the time of a named tuple.
    """

    place: Place
    line: int
    row: Row
    result: Event | Skipped | RejectedRowError


class Stream:
    """Iterates over the outcomes. A damaged file ends it; the reason is in `damage` then, and all before it is good."""

    def __init__(self, plan: Plan, frame: Frame, limit: int | None = None) -> None:
        self.damage: InvalidError | None = None
        self._plan = plan
        self._frame = frame
        self._occurrences = {each.section.name: Occurrences() for each in plan.readings}
        self._earlier_bytes = 0
        self._file: RowFile | None = None
        self._all_outcomes = self._read()
        self._outcomes = islice(self._all_outcomes, limit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._all_outcomes.close()

    def take(self, rows: int) -> list[Outcome]:
        """The next outcomes, at most `rows`; an empty list at the end."""
        return list(islice(self._outcomes, rows))

    @property
    def bytes_read(self) -> int:
        """How much was taken in so far, over all readings."""
        return self._earlier_bytes + (self._file.bytes_read if self._file else 0)

    def _read(self) -> Generator[Outcome, None, None]:
        try:
            for reading in self._plan.readings:
                yield from self._one(reading)
        except InvalidError as error:
            self.damage = error

    def _one(self, reading: Reading) -> Iterator[Outcome]:
        section = reading.section
        with RowFile(reading.path, format=section.format, delimiter=section.delimiter) as file:
            self._file = file
            map_row = compile_section(section, file.header, self._frame, self._occurrences[section.name])
            place = Place(section.name, reading.path, file.header)
            for line, row in file.rows():
                yield _outcome(place, line, row, map_row)
            self._earlier_bytes += file.bytes_read
            self._file = None


def check_columns(plan: Plan, frame: Frame) -> None:
    """Opens every file once: InvalidError names the first that lacks a column its section reads, before anything is sent."""
    for reading in plan.readings:
        section = reading.section
        with RowFile(reading.path, format=section.format, delimiter=section.delimiter) as file:
            try:
                compile_section(section, file.header, frame, Occurrences())
            except InvalidError as error:
                raise InvalidError(f"{reading.path}: {error.message}", code=error.code) from error


def _outcome(place: Place, line: int, row: Row | Broken, map_row: MapRow) -> Outcome:
    if isinstance(row, Broken):
        return Outcome(place, line, row.content, row.error)
    try:
        return Outcome(place, line, row, map_row(row))
    except RejectedRowError as error:
        return Outcome(place, line, row, error)
