"""An account of a list as it is answered: as it is stored, with its change, or with chosen fields alone."""

from collections.abc import Sequence
from typing import Any

import msgspec

from health_score.application.account_fields import CHANGE, Field, selected
from health_score.application.read_ports import ListedRow
from health_score.domain.assessment import rounded


def decoded(row: ListedRow) -> dict[str, Any]:
    """The snapshot with the change beside it."""
    account: dict[str, Any] = msgspec.json.decode(row.snapshot)
    return account | {CHANGE: None if row.change is None else rounded(row.change)}


def answered(row: ListedRow, chosen: Sequence[Field], *, compared: bool) -> Any:
    """What goes out as JSON; `compared`: changes are asked for. The stored bytes themselves where nothing else is."""
    if chosen:
        return selected(decoded(row), chosen)
    return decoded(row) if compared else msgspec.Raw(row.snapshot)
