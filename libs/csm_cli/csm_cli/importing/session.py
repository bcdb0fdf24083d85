"""One import as a person sees it: where it goes, what is shown at the end, and the exit code."""

import asyncio
from datetime import UTC, datetime

from rich.console import Console

from csm_cli.importing.options import Options
from csm_cli.importing.report import reasons, summary
from csm_cli.importing.run import Result, run_import
from csm_cli.importing.target import find_target

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_REJECTS = 3
EXIT_INTERRUPTED = 130


def perform(options: Options) -> int:
    """Run the import, report, and return the exit code; CsmError when it cannot be done."""
    target = None if options.dry_run else find_target(options)
    bystander = Console(stderr=True)  # progress must not mix with the report on standard output
    try:
        result = asyncio.run(run_import(options, target, bystander, lambda: datetime.now(UTC)))
    except KeyboardInterrupt:
        bystander.print("Stopped. The same command goes on behind the last acknowledged row.")
        return EXIT_INTERRUPTED
    _report(result, Console())
    if result.unended:
        return EXIT_FAILED
    return EXIT_REJECTS if options.strict and result.tally.rejected else EXIT_DONE


def _report(result: Result, console: Console) -> None:
    console.print(summary(result.tally))
    if table := reasons(result.tally):
        console.print(table)
    if result.tally.rejected:
        console.print(f"The rejected rows are in {result.rejects}", soft_wrap=True, highlight=False)
    if result.left_out:
        names = ", ".join(sorted({each.name for each in result.left_out}))
        console.print(f"Files that no section of the mapping reads: {names}", highlight=False)
    if result.unended:
        first = result.unended[0].message
        console.print(f"The backfill of {len(result.unended)} accounts was not ended: {first}", style="red")
