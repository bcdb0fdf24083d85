"""An account of a list as a program reads it."""

from typing import Any

import msgspec

from health_score.application.account_fields import CHANGE
from health_score.application.read_ports import ListedRow


def decoded(row: ListedRow) -> dict[str, Any]:
    """The snapshot with the change beside it."""
    account: dict[str, Any] = msgspec.json.decode(row.snapshot)
    return account | {CHANGE: row.change}
