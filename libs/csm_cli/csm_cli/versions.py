"""Versioned documents over REST: what `csm scorecards`, `csm playbooks` and `csm templates` do alike with their files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from csm_cli.printing import print_json
from csm_cli.rest_api import RestApi, media_type

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="YAML or JSON.")]
Files = Annotated[
    list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="YAML or JSON.")
]
Version = Annotated[int, typer.Argument(min=1, help="Which version.")]
Before = Annotated[int, typer.Argument(min=1, help="A version.")]
After = Annotated[int, typer.Argument(min=1, help="Another one.")]
Activate = Annotated[bool, typer.Option("--activate", help="Put it in force as well.")]
Note = Annotated[str, typer.Option(help="Why: for those who come after you.")]


def print_one(api: RestApi, path: str, version: int, as_json: bool) -> None:
    """One version of the document at `path` as a file, or as JSON with all that is known of it."""
    at = f"{path}/versions/{version}"
    if as_json:
        print_json(api.get(at))
    else:
        typer.echo(api.text(at, format="yaml"), nl=False)


def print_diff(api: RestApi, path: str, before: int, after: int, as_json: bool = False) -> None:
    """What differs between two versions of the document at `path`."""
    found = api.get(f"{path}/diff", **{"from": before, "to": after})
    if as_json:
        print_json(found)
    else:
        typer.echo(found["text"] or "They say the same.")


def validate(api: RestApi, collection: str, files: Sequence[Path]) -> None:
    """Every mistake of files as FILE:LINE:COLUMN, then their warnings; typer.Exit(1) when one is not valid."""
    wrong = 0
    for file in files:
        checked = api.send(f"{collection}:validate", file.read_bytes(), media_type(file))
        for each in checked["mistakes"]:
            typer.echo(_placed(file, each))
        _warn(file, checked)
        wrong += not checked["valid"]
        if checked["valid"]:
            typer.echo(f"{file} is valid.")
    if wrong:
        raise typer.Exit(1)


def create(api: RestApi, collection: str, file: Path, note: str) -> tuple[str, int]:
    """Keep a file as the next version of the document it names, and tell so; the name and the version it has."""
    made = api.send(collection, file.read_bytes(), media_type(file), note=note)
    _warn(file, made)
    told = "is" if made["created"] else "was there already as"
    typer.echo(f"{file} {told} version {made['version']} of {made['name']}.")
    return made["name"], made["version"]


def _warn(file: Path, answer: dict[str, Any]) -> None:
    # Only playbooks are warned of: only they can be allowed and yet look wrong.
    for each in answer.get("warnings", ()):
        typer.echo(f"{_placed(file, each)} (warning)")


def _placed(file: Path, mistake: dict[str, Any]) -> str:
    return f"{file}:{mistake['line']}:{mistake['column']}: {mistake['member']}: {mistake['message']}"
