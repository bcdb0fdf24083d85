"""One section at work on one file: a row becomes a finished CloudEvent, or tells why it does not."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from csm_cli.importing.mapping import Section
from csm_common.errors import InvalidError
from csm_common.ids import derived_id
from csm_common.mapping.columns import Columns, CsvColumns, JsonColumns
from csm_common.mapping.conditions import Row, compile_condition
from csm_common.mapping.conversions import Times
from csm_common.mapping.facts import CompiledFact, compile_fact, first_applying
from csm_common.mapping.language import Value
from csm_common.mapping.occurrences import Occurrences
from csm_common.mapping.rejection import RejectedRowError
from csm_common.mapping.values import compile_value


class Event(msgspec.Struct, frozen=True):
    """A fact ready to send: `body` is the whole CloudEvent as JSON."""

    subject: str
    time: datetime
    body: bytes


class Skipped(msgspec.Struct, frozen=True):
    """A row left out on purpose."""

    reason: str


MapRow = Callable[[Row], Event | Skipped]


class Frame(NamedTuple):
    """What all events of an import share. `salt` enters the ids of rows with natural keys: the shift."""

    source: str
    backfill: bool
    times: Times
    salt: str = ""


class _Content(msgspec.Struct):
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]


_encode = msgspec.json.Encoder().encode


def compile_section(
    section: Section, header: Sequence[str] | None, frame: Frame, occurrences: Occurrences
) -> MapRow:
    """The function that maps rows of a file with that CSV header (None for JSONL).

    It raises RejectedRowError for a row at fault; this raises InvalidError when the file lacks a column of the section.
    """
    columns = section_columns(section, header)
    skips = [(compile_condition(each.when, columns), each.reason) for each in section.skip]
    choose = _chooser([compile_fact(each, columns, frame.times) for each in section.facts])
    subject_of = compile_value(section.subject, columns, kind="text", times=frame.times, required=True)
    time_of = compile_value(section.time, columns, kind="time", times=frame.times, required=True)
    finish = _finisher(section, columns, frame, occurrences)

    def map_row(row: Row) -> Event | Skipped:
        for holds, reason in skips:
            if holds(row):
                return Skipped(reason)
        fact = choose(row)
        subject, time = subject_of(row), time_of(row)
        try:
            content = _encode(_Content(fact.type, subject, time, fact.data(row)))
            return Event(subject, time, finish(content, row))
        except UnicodeEncodeError:
            raise RejectedRowError("not_utf8", "the row holds bytes that are not UTF-8") from None

    return map_row


def _chooser(facts: Sequence[CompiledFact]) -> Callable[[Row], CompiledFact]:
    if facts[0].when is None:
        return lambda row: facts[0]

    def choose(row: Row) -> CompiledFact:
        fact = first_applying(facts, row)
        if fact is None:
            raise RejectedRowError("no_fact", "none of the section's facts applies to this row")
        return fact

    return choose


def _finisher(
    section: Section, columns: Columns, frame: Frame, occurrences: Occurrences
) -> Callable[[bytes, Row], bytes]:
    """Adds what is not content: the id and the members that all events of the import share.

    The id is derived from the natural key where the section names one, else from the content and its occurrence
    number. A shift of time is part of the content; with a natural key the frame's salt stands for it. So one id
    never stands for two times.
    """
    shared: dict[str, Any] = {
        "specversion": "1.0",
        "source": frame.source,
        "datacontenttype": "application/json",
    }
    if frame.backfill:
        shared["backfill"] = True
    opening = _encode(shared)[:-1] + b',"id":"'
    keys = [
        compile_value(Value(column=[each], required=True), columns, kind="keep", times=frame.times)
        for each in section.id or ()
    ]
    scope = (frame.source, section.name)

    def finish(content: bytes, row: Row) -> bytes:
        if keys:
            event_id = derived_id("import", *scope, frame.salt, *[read(row) for read in keys])
        else:
            text = content.decode()
            event_id = derived_id("import", *scope, text)
            if repeat := occurrences.number(event_id):
                event_id = derived_id("import", *scope, text, repeat)
        return opening + event_id.encode() + b'",' + content[1:]

    return finish


def section_columns(section: Section, header: Sequence[str] | None) -> Columns:
    """Readers of the section's columns in a file with that CSV header; None stands for JSONL.

    InvalidError when the header lacks a column that the section names.
    """
    if header is None:
        return JsonColumns(section.nulls)
    for name in sorted(_named_columns(section) - set(header)):
        raise InvalidError(
            f"Section {section.name} reads a column {name!r}, which the file does not have; it has: {', '.join(header)}.",
            code="column_unknown",
        )
    return CsvColumns(header, section.nulls)


def _named_columns(section: Section) -> set[str]:
    conditions = [each.when for each in section.skip] + [each.when for each in section.facts]
    values = [
        section.subject,
        section.time,
        *(value for each in section.facts for value in each.data.values()),
    ]
    named = {name for condition in conditions for name in condition}
    return named.union(section.id or (), *(value.columns for value in values))
