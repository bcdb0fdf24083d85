"""What the use cases of scorecards need from outside."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from health_score.application.model_ports import ModelChange, StoredCard


@dataclass(frozen=True, slots=True)
class TakingUp:
    """How far a change of the model has got. `partitions` have judged before; those `behind` still judge by an older model, the
    `refolding` among them because new signals are given their past. Accounts `accounts_behind` were last looked at by one."""

    partitions: int
    behind: int
    refolding: tuple[int, ...]
    accounts: int
    accounts_behind: int


class ScorecardTransaction(Protocol):
    """One transaction over scorecards and changes of the model."""

    async def cards(self, name: str | None = None) -> list[StoredCard]:
        """All versions, of one name or of all, by name and version."""
        ...

    async def changes(self) -> list[ModelChange]:
        """All changes of the model, oldest first."""
        ...

    async def add(self, card: StoredCard) -> None:
        """Keep a new version."""
        ...

    async def change(self, change: ModelChange) -> int:
        """Write down a change of the model; its number, which `change` does not know yet."""
        ...

    async def taking_up(self, model: int) -> TakingUp:
        """How far the model of this number has got."""
        ...

    async def attributes(self, after: str, limit: int) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Accounts behind `after` with their attributes, in the order of their ids."""
        ...


class ScorecardStore(Protocol):
    """Where scorecards are kept."""

    def reading(self) -> AbstractAsyncContextManager[ScorecardTransaction]:
        """A transaction that only reads."""
        ...

    def changing(self) -> AbstractAsyncContextManager[ScorecardTransaction]:
        """A transaction that is the only one to change anything; committed at the end of the block."""
        ...
