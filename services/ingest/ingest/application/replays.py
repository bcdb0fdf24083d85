"""Trying rejections again after a fix: which of them, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Selection:
    """Open rejections: those with these ids, of this source, with this code; all that is told must hold."""

    ids: tuple[str, ...] = ()
    source: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """How many are durable now, wait for their account, or were rejected again; `reasons` counts the latter by code."""

    replayed: int
    held: int
    rejected: int
    reasons: Mapping[str, int] = field(default_factory=dict)


class Replays(Protocol):
    """The use case that reads rejections again."""

    async def run(self, selection: Selection, limit: int) -> ReplayReport:
        """Try at most `limit` of the selected rejections again, TransientError when nothing can be taken now."""
        ...
