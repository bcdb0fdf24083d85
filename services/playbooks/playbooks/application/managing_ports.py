"""What managing playbooks needs of the outside: documents read and written, and all versions beside those the engine uses."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from playbooks.application.ports import Audit, Switches
from playbooks.domain.definition import Definition
from playbooks.domain.rules import Place


@dataclass(frozen=True, slots=True)
class Written:
    """A definition that can be used, and where its members stand in the text: line and column, from 1."""

    definition: Definition
    position: Callable[[Sequence[Place]], tuple[int, int]]


class Documents(Protocol):
    """Definitions as people write and read them."""

    def read(self, text: str, *, is_json: bool) -> Written:
        """MistakenError with all mistakes of a text that cannot be used. The largest take a second."""
        ...

    def plain(self, definition: Definition) -> dict[str, Any]:
        """As JSON, without members at their defaults."""
        ...

    def yaml(self, definition: Definition) -> str:
        """As a file."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """A version, who wrote it and why. `origin` is `file` for those that are shipped, `rest` for those of people."""

    version: int
    definition: Definition
    origin: str
    author: str
    note: str
    created_at: datetime
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A version that was put in force, when, by whom, and in place of which (None: of none)."""

    version: int
    before: int | None
    at: datetime
    actor: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """How many active runs of a version are at a step."""

    playbook: str
    version: int
    step: str
    runs: int


class Versions(Protocol):
    """All versions of all playbooks."""

    async def lock(self) -> None:
        """Nobody else changes versions until the transaction ends."""
        ...

    async def shown(self) -> list[StoredVersion]:
        """Of each playbook the newest version and the active one, by name and version."""
        ...

    async def of(self, name: str) -> list[StoredVersion]:
        """The versions of a playbook, oldest first; none where there is no such playbook."""
        ...

    async def add(self, definition: Definition, author: str, note: str, now: datetime) -> tuple[int, bool]:
        """Its version, and whether that is new: what says the same as a version there is, is that version."""
        ...

    async def activate(self, name: str, version: int) -> None:
        """Put it in force in place of the one that was; its name belongs to people from now on."""
        ...

    async def in_force(self, name: str) -> list[InForce]:
        """What was put in force, oldest first."""
        ...

    async def in_flight(self, name: str | None = None) -> list[InFlight]:
        """Active runs of a playbook, or of all, by version and step."""
        ...

    async def never_told(self, thresholds: Collection[str]) -> list[str]:
        """Those of these thresholds that no crossing was ever of."""
        ...


class Management(Protocol):
    """All of it in one transaction."""

    @property
    def versions(self) -> Versions: ...
    @property
    def switches(self) -> Switches: ...
    @property
    def audit(self) -> Audit: ...


class Managements(Protocol):
    """Opens transactions."""

    def begin(self) -> AbstractAsyncContextManager[Management]:
        """One transaction: commits at the end of the block, rolls back when it raises; TransientError without a database."""
        ...
