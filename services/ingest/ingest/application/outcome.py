"""What became of one message."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`accepted`: durable. `duplicate`: it was durable before. `held`: durable, it waits for its account. `rejected`: kept
    under rejections with this code and message, and not on the log."""

    id: str | None
    status: Literal["accepted", "duplicate", "held", "rejected"]
    code: str | None = None
    message: str | None = None
