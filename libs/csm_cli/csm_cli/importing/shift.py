"""`--shift-to-now`: finds the newest time of a set in a quick pass over the time columns alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice

from csm_cli.importing.files import Plan, Reading
from csm_cli.importing.mapper import section_columns
from csm_cli.importing.rows import Broken, RowFile
from csm_common.errors import InvalidError
from csm_common.mapping.conversions import Times
from csm_common.mapping.rejection import RejectedRowError
from csm_common.mapping.values import compile_value

REPORT_ROWS = 50_000


def shift_to(
    now: datetime, plan: Plan, times: Times, limit: int | None, advance: Callable[[int], None]
) -> timedelta:
    """How far the set must move for its newest time to be `now`, in whole seconds.

    `advance` is told how many bytes of the files were taken in. Rows without a readable time do not count.
    InvalidError when there is none.
    """
    newest: datetime | None = None
    rows = 0
    for reading in plan.readings:
        read, found = _newest(reading, times, None if limit is None else limit - rows, advance)
        rows += read
        newest = max(newest or found, found) if found else newest
    if newest is None:
        raise InvalidError(
            "No row has a time that can be read, so the set cannot be moved to now.", code="no_time"
        )
    return timedelta(seconds=int((now - newest.astimezone(UTC)).total_seconds()))


def _newest(
    reading: Reading, times: Times, limit: int | None, advance: Callable[[int], None]
) -> tuple[int, datetime | None]:
    newest: datetime | None = None
    count = taken = 0
    section = reading.section
    with RowFile(reading.path, format=section.format, delimiter=section.delimiter) as file:
        time_of = compile_value(section.time, section_columns(section, file.header), kind="time", times=times)
        for count, (_, row) in enumerate(islice(file.rows(), limit), 1):
            try:
                found = None if isinstance(row, Broken) else time_of(row)
            except RejectedRowError:
                continue
            if found is not None and (newest is None or found > newest):
                newest = found
            if count % REPORT_ROWS == 0:
                advance(file.bytes_read - taken)
                taken = file.bytes_read
        advance(file.bytes_read - taken)
    return count, newest
