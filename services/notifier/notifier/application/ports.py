"""What the application needs of the outside."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from csm_common.contracts.contacts import ContactRecorded
from notifier.application.views import NotificationDetail, NotificationSummary
from notifier.domain.delivery import Answer, Verdict
from notifier.domain.notification import Notification, Status
from notifier.domain.recipients import Contact, Decision, Recipient


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A contact as it was told at `recorded_at` under a record key, by which an erasure will name it."""

    key: bytes
    contact: ContactRecorded
    recorded_at: datetime


class Directory(Protocol):
    """How to reach the people of an account."""

    async def record(self, entries: Sequence[DirectoryEntry]) -> None:
        """Take entries in: a newer one replaces the fields it has, an older one only fills those that are unknown."""
        ...

    async def erase(self, keys: Sequence[bytes]) -> None:
        """Forget the contacts told under these keys."""
        ...

    async def of_accounts(self, account_ids: Collection[str]) -> Mapping[str, Sequence[Contact]]:
        """The contacts of each account; accounts without any may be absent."""
        ...


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notification that is ours until `lease_until`. `attempt` counts from 1 and is the fence: whoever claims it later has
    a higher number. `interrupted` tells that the attempt before never said how it ended, `held` how many ended in a hold."""

    notification: Notification
    attempt: int
    lease_until: datetime
    received_at: datetime
    interrupted: bool = False
    held: int = 0

    @property
    def tries(self) -> int:
        """The number of this attempt in the retry schedule, which holds do not use up."""
        return self.attempt - self.held


class Notifications(Protocol):
    """The notifications and their attempts."""

    async def add(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Take them in as pending; one that is known already is left as it is."""
        ...

    async def claim(self, owner: str, now: datetime, lease_until: datetime, limit: int) -> Sequence[Claimed]:
        """Begin an attempt at up to `limit` notifications that are due and in nobody else's hands, longest due first."""
        ...

    async def record(
        self, claimed: Claimed, decision: Decision | None, verdict: Verdict, now: datetime
    ) -> bool:
        """Write down how the attempt ended. False, and nothing written, where somebody else has claimed it since."""
        ...

    async def page(
        self,
        account_id: str | None,
        status: Status | None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[NotificationSummary]:
        """Newest first, by request time and id; `before` is those of the last one of the page before."""
        ...

    async def detail(self, notification_id: str) -> NotificationDetail | None:
        """All that is known of one."""
        ...


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did: contacts deleted, notifications and attempts blanked, and the notifications that were cancelled."""

    contacts: int
    notifications: int
    attempts: int
    cancelled: Sequence[Notification]


class Erasures(Protocol):
    """Forgetting people and accounts. Erasing again changes nothing."""

    async def of_contacts(self, contacts: Mapping[tuple[str, str], datetime]) -> Erased:
        """By account and contact id, forget what was said to them by then; what was for nobody else is cancelled.

        Their entries in the directory end by tombstones.
        """
        ...

    async def of_accounts(self, accounts: Mapping[str, datetime]) -> Erased:
        """Forget everybody of the accounts and what was said about them, and cancel what was asked for, by then."""
        ...

    async def erased_at(self, account_ids: Collection[str]) -> Mapping[str, datetime]:
        """When those of the accounts that ever were erased were so last."""
        ...


class Facts(Protocol):
    """What the rest of the product is told."""

    async def outreach_changed(self, notification: Notification, status: Status, now: datetime) -> None:
        """A notification has come to its final status."""
        ...


class Work(Protocol):
    """One transaction, and what can be done in it."""

    @property
    def directory(self) -> Directory:
        """The contacts."""
        ...

    @property
    def notifications(self) -> Notifications:
        """The notifications."""
        ...

    @property
    def erasures(self) -> Erasures:
        """The forgetting."""
        ...

    @property
    def facts(self) -> Facts:
        """The outbox."""
        ...


OpenWork = Callable[[], AbstractAsyncContextManager[Work]]
"""Begins a transaction, which lasts if the block ends without an error."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message's words."""

    subject: str
    text: str
    html: str


class TemplateError(Exception):
    """The template is unknown or cannot be rendered; the sentence says which and why."""


class Renderer(Protocol):
    """Templates."""

    def render(self, template: str, variables: Mapping[str, Any]) -> Rendered:
        """The words; TemplateError where there is no such template or it fails."""
        ...


class Channel(Protocol):
    """A way to a person."""

    async def send(
        self, notification: Notification, recipient: Recipient, words: Rendered, now: datetime
    ) -> Answer:
        """Send, and tell how it was answered; bad answers and lost connections are answers too, not errors."""
        ...

    def abandon(self) -> None:
        """Give up on what is being sent right now: each of those sends answers `deferred` at once."""
        ...
