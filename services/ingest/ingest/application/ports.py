"""What the application needs of the outside."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csm_common.contracts.contacts import ContactRecorded
from csm_common.database.outbox import Message
from ingest.application.replays import Selection
from ingest.domain.people import Circle, Person


class Publisher(Protocol):
    """The brokers."""

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        """Publish and wait until all are durable or given up: per message None, or a sentence why it is not on the log.

        TransientError when none could be sent.
        """
        ...


class Outbox(Protocol):
    """Messages that are published once the work is committed, in order for equal keys."""

    async def add(self, messages: Sequence[Message]) -> None:
        """Write them down."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChange:
    """What a fact told of a contact at `time`; fields that are None were not told."""

    contact: ContactRecorded
    time: datetime


class Contacts(Protocol):
    """Every contact we told of, with all that is known of it: the contacts' topic is compacted, so a record must be whole."""

    async def merge(self, changes: Sequence[ContactChange]) -> Sequence[ContactRecorded]:
        """Take changes in and give back each contact as it is now: the newer change wins, field by field."""
        ...

    async def move(self, names: Mapping[str, str]) -> Sequence[tuple[ContactRecorded, ContactRecorded]]:
        """Contacts by old contact id that are really another id of the same account: pairs of what was and what is now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whom a message was attributed to; kept, so that the same message is never given to another account."""

    digest: bytes
    account: str
    person: str | None


class People(Protocol):
    """Who is known by which name, and which account each person is in."""

    async def lock(self, names: Collection[str], *, merging: bool) -> dict[str, Person]:
        """The persons behind these names by every name they have, held until the work ends; unknown names are absent."""
        ...

    async def save(self, circle: Circle) -> None:
        """Write down what changed."""
        ...

    async def decisions(self, keys: Collection[str]) -> dict[str, Decision]:
        """What was decided for these messages before."""
        ...

    async def decide(self, decisions: Mapping[str, Decision], now: datetime) -> None:
        """Keep decisions."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A message that is not on the log, with the reason and all that is needed to try it again.

    `message_key` tells the message from all others of all sources. A message that waits for its account has the name of
    the person in `person`, its facts in `drafts`, and is listed only from `listed_from` on.
    """

    id: str
    message_key: str
    message_id: str | None
    source: str
    format: str
    code: str
    reason: str
    body: bytes
    context: Mapping[str, str]
    received_at: datetime
    listed_from: datetime
    digest: bytes
    person: str | None = None
    drafts: bytes | None = None


class Rejections(Protocol):
    """What was not taken, or not yet."""

    async def add(self, rejections: Sequence[Rejection]) -> None:
        """Keep them; one that is kept already is counted once more, and is open again where it was replayed."""
        ...

    async def held(self, keys: Collection[str]) -> dict[str, Rejection]:
        """Of these messages those that wait for their account, by message key."""
        ...

    async def release(self, persons: Collection[str], limit: int) -> Sequence[Rejection]:
        """Take out the oldest so many of the messages that wait for these persons, in their order."""
        ...

    async def waiting_in_vain(self, limit: int) -> Sequence[str]:
        """So many persons for whom messages wait although it is known which account they are in."""
        ...

    async def rename(self, persons: Mapping[str, str]) -> None:
        """What waited for one name waits for another from now on."""
        ...

    async def claim(self, selection: Selection, after: str, now: datetime, limit: int) -> Sequence[Rejection]:
        """Listed ones to try again, in the order of their ids behind `after`; nobody else gets them meanwhile."""
        ...

    async def replayed(self, ids: Collection[str], now: datetime) -> None:
        """These were taken this time."""
        ...

    async def refused_again(self, reasons: Mapping[str, tuple[str, str]]) -> None:
        """These were not, for this code and reason."""
        ...


class Work(Protocol):
    """What is done in one transaction."""

    @property
    def people(self) -> People: ...

    @property
    def rejections(self) -> Rejections: ...

    @property
    def contacts(self) -> Contacts: ...

    @property
    def outbox(self) -> Outbox: ...


class Store(Protocol):
    """The service's tables."""

    def begin(self) -> AbstractAsyncContextManager[Work]:
        """A transaction: committed at the end of the block, rolled back where it raises."""
        ...
