"""What a person sees of an import: a progress bar while it runs, and at the end the account of every row."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from csm_cli.importing.tally import Tally


class Bar:
    """A progress bar over the bytes of the files, or over the rows where these are limited; with the rate and the counts.

    `total_bytes` None: nobody knows how much it will be.
    """

    def __init__(
        self, console: Console, title: str, total_bytes: int | None, limit: int | None = None
    ) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=console)
        self._task = self._progress.add_task(title, total=limit or total_bytes, counts="")
        self._limited = limit is not None
        self._started = time.monotonic()
        self._first_rows: int | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance(self, bytes_read: int, tally: Tally) -> None:
        """Shows that so many bytes were taken in and how the rows fared."""
        rows = tally.rows
        if self._first_rows is None:
            self._first_rows = rows
        rate = (rows - self._first_rows) / max(time.monotonic() - self._started, 0.001)
        counts = f"{tally.accepted:,} accepted, {tally.rejected:,} rejected, {rate:,.0f}/s"
        self._progress.update(self._task, completed=rows if self._limited else bytes_read, counts=counts)

    def grow(self, more_bytes: int) -> None:
        """Shows that this many more bytes were taken in."""
        self._progress.advance(self._task, more_bytes)

    def note(self, sentence: str) -> None:
        """Tells something above the bar, once for each time it is said anew."""
        self._progress.console.print(sentence, style="yellow", markup=False, highlight=False)


def once(say: Callable[[str], None]) -> Callable[[str], None]:
    """Says a sentence only when it differs from the one before."""
    last = ""

    def say_changed(sentence: str) -> None:
        nonlocal last
        if sentence != last:
            last = sentence
            say(sentence)

    return say_changed


def summary(tally: Tally) -> Table:
    """Rows read = accepted + rejected + skipped, by section."""
    table = Table(title="Rows", title_justify="left")
    table.add_column("section")
    for name in ("read", "accepted", "rejected", "skipped"):
        table.add_column(name, justify="right")
    for name, section in tally.sections.items():
        counts = (section.rows, section.accepted, section.rejected_rows, section.skipped_rows)
        table.add_row(name, *(f"{each:,}" for each in counts))
    skipped = tally.rows - tally.accepted - tally.rejected
    table.add_section()
    table.add_row("all", *(f"{each:,}" for each in (tally.rows, tally.accepted, tally.rejected, skipped)))
    return table


def reasons(tally: Tally) -> Table | None:
    """Why rows were rejected or skipped, with an example; None when all were accepted."""
    table = Table(title="Not imported", title_justify="left")
    for name in ("section", "reason", "rows", "for example"):
        table.add_column(name, justify="right" if name == "rows" else "left", overflow="fold")
    for name, section in tally.sections.items():
        for reason, refused in section.rejected.items():
            table.add_row(name, reason, f"{refused.rows:,}", refused.example)
        for reason, rows in section.skipped.items():
            table.add_row(name, "skipped", f"{rows:,}", reason)
    return table if table.row_count else None
