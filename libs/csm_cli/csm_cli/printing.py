"""How commands print what they were told: JSON for programs, times and tables for people."""

import json

import typer
from rich.table import Column


def print_json(value: object) -> None:
    """Indented, as people also read it."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def moment(text: str) -> str:
    """An ISO time to the second, without its zone, which is UTC."""
    return f"{text[:10]} {text[11:19]}"


def right(*names: str) -> list[Column]:
    """Columns of numbers."""
    return [Column(name, justify="right") for name in names]
