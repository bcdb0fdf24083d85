"""Dead letters as people see them, what they ask for, and the port to their table."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from notifier.application.views import NotificationDetail
from notifier.domain.notification import Status
from notifier.domain.replaying import Candidate, Refusal, Turn

DeadCode = Literal["no_channel", "no_recipient", "refused", "given_up", "template", "unknown", "erased"]
"""Why a message is dead: its channel is not set up · nobody could be reached · the receiver refused it for good · every attempt
was used up · its template failed · it may have gone out, nobody can tell · it was erased since."""

MOST = 10_000
"""Messages of one replay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterFilter:
    """All that is told must hold."""

    account_id: str | None = None
    channel: str | None = None
    playbook: str | None = None
    code: DeadCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that ended without its recipient. `reason` is the sentence, `answer` the channel's last code (SMTP's, HTTP's)."""

    id: str
    account_id: str
    channel: str
    playbook: str
    template: str
    category: str
    status: Status
    code: DeadCode
    reason: str | None
    answer: int | None
    attempts: int
    requested_at: datetime
    expires_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterDetail:
    """One with all that is known of it: whom it was for, what the contact policy said, every attempt and its answer."""

    dead_letter: DeadLetter
    notification: NotificationDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterCount:
    """How many there are of one channel with one code."""

    channel: str
    code: DeadCode
    dead_letters: int
    oldest_at: datetime
    newest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which are to be sent anew: by `ids`, or all that a filter finds, the most urgent first, `limit` at most."""

    ids: Sequence[str] | None = None
    filter: DeadLetterFilter = field(default_factory=DeadLetterFilter)
    limit: int = MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How: at most `per_second`, with a new expiry where one is given; `note` says why, `actor` who wants it."""

    actor: str
    note: str
    per_second: float = 1.0
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of it. `waiting` were under way already; the last turn is at `last_at`; `more`: the limit was reached."""

    replayed: int
    waiting: int
    refused: Sequence[Refusal]
    first_at: datetime | None
    last_at: datetime | None
    more: bool


class DeadLetters(Protocol):
    """The dead among the notifications, in one transaction."""

    async def page(
        self, wanted: DeadLetterFilter, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[DeadLetter]:
        """Newest first, by request time and id; `before` is those of the last one of the page before."""
        ...

    async def one(self, notification_id: str) -> DeadLetter | None:
        """None where it is not dead, or not there."""
        ...

    async def counts(self, wanted: DeadLetterFilter) -> Sequence[DeadLetterCount]:
        """By channel and code, the most first."""
        ...

    async def find(self, wanted: DeadLetterFilter, limit: int) -> Sequence[str]:
        """Ids: the highest priority first, then the oldest."""
        ...

    async def lock(self, ids: Collection[str]) -> Sequence[Candidate]:
        """Those that there are, until the end of the transaction; no other replay goes on meanwhile."""
        ...

    async def last_turn(self, now: datetime) -> datetime | None:
        """When the last of the replays that still wait goes."""
        ...

    async def revive(self, turns: Sequence[Turn], replay: Replay, now: datetime) -> None:
        """Have them tried again, each at its turn: the attempts so far count no more, and the audit says who wanted it."""
        ...


OpenDeadLetters = Callable[[], AbstractAsyncContextManager[DeadLetters]]
"""Begins a transaction, which lasts if the block ends without an error."""
