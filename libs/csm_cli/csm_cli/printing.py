"""How commands print what they were told: JSON for programs, times and tables for people."""

import json
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.table import Column, Table


def print_json(value: object) -> None:
    """Indented, as people also read it."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_rows(rows: Sequence[object], table: Table, as_json: bool) -> None:
    """Rows as JSON, or the table that shows them, or a word where there are none."""
    if as_json:
        print_json(rows)
    else:
        Console().print(table if rows else "There are none.")


def moment(text: str) -> str:
    """An ISO time to the second, without its zone, which is UTC."""
    return f"{text[:10]} {text[11:19]}"


def whole(name: str) -> Column:
    """A column of what is typed again: never wrapped or cut, however narrow the window."""
    return Column(name, no_wrap=True, overflow="ignore")


def folded(name: str) -> Column:
    """A column of words that goes on in the next line where the window ends."""
    return Column(name, overflow="fold")


def right(*names: str) -> list[Column]:
    """Columns of numbers."""
    return [Column(name, justify="right") for name in names]
