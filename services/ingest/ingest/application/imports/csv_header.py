"""The first row of a CSV file: it says what every cell below it is."""

from collections.abc import Sequence

from csm_common.errors import InvalidError
from ingest.application.imports.csv_values import ATTRIBUTES, DATA
from ingest.application.imports.job import ImportOrder

_NEEDED = ("source", "type", "subject", "time")


def checked_header(cells: Sequence[str], order: ImportOrder) -> Sequence[str]:
    """The names of the columns; InvalidError where one means nothing, or one is missing without which no row can be taken."""
    names = [each.strip() for each in cells]
    for name in names:
        if name not in ATTRIBUTES:
            _check_data_name(name, names)
        if names.count(name) > 1:
            raise no_header(f"{name!r} is there twice.")
    given = {"source": order.source, "type": order.type}
    for name in _NEEDED:
        if name not in names and not given.get(name):
            hint = ", or give it in the query" if name in given else ""
            raise no_header(f"There is no column {name!r}: add it{hint}.")
    return names


def no_header(why: str) -> InvalidError:
    """The refusal of a file whose first line is no header."""
    return InvalidError(
        f"{why} The first line must name the columns: {', '.join(ATTRIBUTES)}, and data fields such as data.feature.",
        code="invalid_header",
    )


def _check_data_name(name: str, names: Sequence[str]) -> None:
    if not name.startswith(DATA):
        raise no_header(f"{name!r} is no attribute: write data.{name} for a data field.")
    outer, dot, inner = name.removeprefix(DATA).partition(".")
    if not outer or (dot and not inner):
        raise no_header(f"{name!r} is not complete.")
    if dot and DATA + outer in names:
        raise no_header(f"{name!r} cannot be told beside {DATA + outer!r}.")
