"""What the application needs of the outside for scorecards and models: versions, changes, what each partition took up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.domain.account import AccountState

ChangeKind = Literal["activate", "retire", "silence", "sound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChange:
    """One change of the model. `number` grows with every change.

    A version of a scorecard goes into force or a scorecard out of it (`name`, `version`; `outreach`: what this changes may start
    playbooks), or a type of facts (`name`) falls silent for the whole fleet at `since`, or is back.
    """

    number: int
    kind: ChangeKind
    name: str
    version: int | None = None
    since: datetime | None = None
    actor: str
    note: str
    outreach: bool = False
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCard:
    """One immutable version of a scorecard: the YAML as it was given, who wrote it, why and when."""

    name: str
    version: int
    document: str
    author: str
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Refold:
    """New signals of a model, to be folded from the log of a partition up to (and without) an offset."""

    partition: int
    model: int
    until_offset: int
    done: bool = False


class ModelRepository(Protocol):
    """What the writer reads of models, and keeps of each partition."""

    async def changes(self, tx: AsyncConnection) -> list[ModelChange]:
        """All changes so far, oldest first."""
        ...

    async def cards(self, tx: AsyncConnection, ids: Collection[tuple[str, int]]) -> list[StoredCard]:
        """These versions of scorecards."""
        ...

    async def judging(self, tx: AsyncConnection, partitions: Collection[int]) -> dict[int, int]:
        """By partition the number of the model that judges its accounts; a partition without one is left out."""
        ...

    async def judge_by(self, tx: AsyncConnection, partition: int, model: int) -> None:
        """From now on this model judges the partition's accounts."""
        ...

    async def refolds(self, tx: AsyncConnection, partitions: Collection[int]) -> list[Refold]:
        """The refolds of the partitions, oldest first."""
        ...

    async def begin_refold(self, tx: AsyncConnection, partition: int, model: int) -> None:
        """Ask for the model's new signals up to where the partition's consumer stands in this very transaction."""
        ...

    async def take_refolded(
        self, tx: AsyncConnection, account_ids: Collection[str], model: int
    ) -> dict[str, AccountState]:
        """What was folded anew of the accounts for models up to this one: signals and trails alone. Given out once."""
        ...
