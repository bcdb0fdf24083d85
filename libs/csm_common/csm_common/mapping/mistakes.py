"""What is wrong with a mapping or a configuration, for the person who wrote it: every mistake with its place."""

from typing import Any

from pydantic import ValidationError


def mistakes(error: ValidationError) -> str:
    """One line per mistake, such as `  sections[0].time: is missing`."""
    return "\n".join(f"  {_place(each['loc'])}: {_sentence(each)}" for each in error.errors())


def _place(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in location)
    return text.removeprefix(".") or "the file"


def _sentence(error: Any) -> str:
    known = {"extra_forbidden": "there is no such key", "missing": "is missing"}
    return known.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
