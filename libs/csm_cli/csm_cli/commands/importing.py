"""`csm import`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer

from csm_cli.importing.options import Options
from csm_cli.stack.options import DEFAULT_HOME


def import_files(
    files: Annotated[
        list[str],
        typer.Argument(help="Event files, directories or quoted globs; CSV or JSON Lines, also gzipped."),
    ],
    mapping: Annotated[
        str,
        typer.Option(
            "--mapping", "-m", help="A shipped mapping, such as fightchurn_crm5, or a YAML file of your own."
        ),
    ],
    stack: Annotated[Path, typer.Option(help="The running stack to import into.")] = DEFAULT_HOME
    / "stack.json",
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
        Path | None, typer.Option(help="Where rejected rows are kept; else beside the checkpoint.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=2500, help="Events a request.")] = 500,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read, map and check everything, send nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 when rows were rejected.")] = False,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Where progress is kept; else beside the stack file.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget the progress and the shift of earlier runs.")
    ] = False,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to keep trying while ingest does not answer.")
    ] = 300.0,
) -> None:
    """Import event files: map each row to a fact and send it to ingest.

    An interrupted import goes on where it stood, and a complete one that is run
    again changes nothing. How to write a mapping: docs/importing.md.

    Examples:

      csm import export.csv.gz --mapping mine.yaml --dry-run

      csm import data/ --mapping cloud_provider_analytics --backfill --shift-to-now
    """
    # Here, for it brings pydantic and httpx: half a second that no other command pays.
    from csm_cli.importing.session import perform

    options = Options(
        files=files, mapping=mapping, stack=stack, url=url, key=key, backfill=backfill, shift_to_now=shift_to_now,
        limit=limit, batch=batch, rejects=rejects, checkpoint=checkpoint, fresh=fresh, dry_run=dry_run, strict=strict,
        patience_s=patience,
    )  # fmt: skip
    raise typer.Exit(perform(options))
