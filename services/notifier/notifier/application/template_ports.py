"""What the use cases of templates need of the outside."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from notifier.application.ports import Rendered
from notifier.application.template_mistakes import Mistake

Plain = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A document that somebody wrote: as plain data, and as the file it is kept as."""

    document: Plain
    source: str

    @property
    def name(self) -> str:
        """All versions share it."""
        return str(self.document["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """One version; `origin` is file for a shipped one, rest for one that a person wrote."""

    name: str
    version: int
    kind: Literal["template", "partial"]
    title: str
    active: bool
    origin: Literal["file", "rest"]
    author: str
    note: str
    created_at: datetime
    document: Plain
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What somebody did with a template; `detail` has no address in it."""

    at: datetime
    actor: str
    action: Literal["created", "activated", "tested"]
    name: str
    detail: Mapping[str, Any]


class TemplateStore(Protocol):
    """The versions, in one transaction."""

    async def lock(self) -> None:
        """Nobody else changes versions until the transaction ends."""
        ...

    async def ship(self, shipped: Sequence[Written], now: datetime) -> Sequence[tuple[str, int]]:
        """Put the shipped ones in force, except those whose name people have taken over; what is newly in force."""
        ...

    async def shown(self) -> Sequence[StoredVersion]:
        """Of each name the newest version and the active one."""
        ...

    async def of(self, name: str) -> Sequence[StoredVersion]:
        """The versions of a name, oldest first."""
        ...

    async def add(self, written: Written, author: str, note: str, now: datetime) -> tuple[int, bool]:
        """Its version, and whether that is new."""
        ...

    async def activate(self, name: str, version: int) -> None:
        """Put it in force in place of the one that was; the name belongs to people from now on."""
        ...

    async def audit(self, done: Audited) -> None:
        """Keep what was done."""
        ...


class TemplateStores(Protocol):
    """Opens transactions."""

    def begin(self) -> AbstractAsyncContextManager[TemplateStore]:
        """One: commits at the end of the block, rolls back when it raises."""
        ...


class Reader(Protocol):
    """Reads and lints documents."""

    async def read(self, text: str, *, is_json: bool, samples: Mapping[str, Plain]) -> Written:
        """MistakenError with every mistake of shape, text and trial rendering."""
        ...


class Trials(Protocol):
    """Renders a document whether it is in force or not."""

    async def trial(self, document: Plain, locale: str | None, variables: Plain) -> Rendered:
        """TemplateError where it fails."""
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a document can be used, and all that is wrong with it."""

    valid: bool
    mistakes: Sequence[Mistake]


@dataclass(frozen=True, slots=True)
class Created:
    """The version a document became, or was already."""

    name: str
    version: int
    created: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """Which version is in force now, and whether it was another before."""

    name: str
    version: int
    changed: bool
    before: int | None
