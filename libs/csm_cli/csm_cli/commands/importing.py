"""`csm import`: the command line of an import, its end report and its exit codes."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from csm_cli.importing.mapping import shipped
from csm_cli.importing.report import reasons, summary
from csm_cli.importing.run import Options, Result, Target, run_import
from csm_common.errors import InvalidError

EXIT_FAILED = 1
EXIT_REJECTS = 3
EXIT_INTERRUPTED = 130

_MAPPING_HELP = (
    f"A shipped mapping ({', '.join(shipped())}) or a YAML file of your own; see docs/importing.md."
)


def import_files(
    files: Annotated[
        list[str],
        typer.Argument(help="Event files, directories or quoted globs; CSV or JSON Lines, also gzipped."),
    ],
    mapping: Annotated[str, typer.Option("--mapping", "-m", help=_MAPPING_HELP)],
    stack: Annotated[Path, typer.Option(help="The running stack to import into.")] = Path(".csm/stack.json"),
    url: Annotated[str | None, typer.Option(help="Ingest's address, in place of --stack.")] = None,
    key: Annotated[
        str | None, typer.Option(envvar="CSM_API_KEY", help="An API key with the scope events:write.")
    ] = None,
    backfill: Annotated[
        bool, typer.Option("--backfill", help="History: fold it in without starting any outreach.")
    ] = False,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move all times so that the newest is now.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Read so many rows only.")] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rejected rows are kept [default: beside the checkpoint].")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=2500, help="Events a request.")] = 500,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read, map and check everything, send nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 when rows were rejected.")] = False,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Where progress is kept [default: beside the stack file].")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget the progress and the shift of earlier runs.")
    ] = False,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to keep trying while ingest does not answer.")
    ] = 300.0,
) -> None:
    """Import event files: map each row to a fact and send it to ingest. Running it again changes nothing."""
    console = Console(stderr=True)
    options = Options(
        files=files, mapping=mapping, home=stack.parent, backfill=backfill, shift_to_now=shift_to_now, limit=limit,
        batch=batch, rejects=rejects, checkpoint=checkpoint, fresh=fresh, patience_s=patience,
    )  # fmt: skip
    target = None if dry_run else _target(stack, url, key)
    try:
        result = asyncio.run(run_import(options, target, console, lambda: datetime.now(UTC)))
    except KeyboardInterrupt:
        console.print("Stopped. The same command goes on behind the last acknowledged row.")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    _report(result, Console())
    if result.unended:
        raise typer.Exit(EXIT_FAILED)
    if strict and result.tally.rejected:
        raise typer.Exit(EXIT_REJECTS)


def _target(stack: Path, url: str | None, key: str | None) -> Target:
    if url:
        if not key:
            raise InvalidError("Give an API key with --key or CSM_API_KEY; --url names the address only.")
        return Target(url, key)
    try:
        ingest: dict[str, Any] = json.loads(stack.read_text(encoding="utf-8"))["ingest"]
        return Target(ingest["url"], key or ingest["write_key"])
    except FileNotFoundError as error:
        raise InvalidError(
            f"No stack runs here: there is no {stack}. Start one with `csm up`, or give --url and --key."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidError(f"{stack} does not tell where ingest is: {error!r}.") from error


def _report(result: Result, console: Console) -> None:
    console.print(summary(result.tally))
    if table := reasons(result.tally):
        console.print(table)
    if result.tally.rejected:
        console.print(f"The rejected rows are in {result.rejects}", soft_wrap=True, highlight=False)
    if result.left_out:
        names = ", ".join(sorted(each.name for each in result.left_out))
        console.print(f"Files that no section of the mapping reads: {names}", highlight=False)
    for refusal in result.unended[:1]:
        console.print(
            f"The backfill of {len(result.unended)} accounts was not ended: {refusal.message}", style="red"
        )
