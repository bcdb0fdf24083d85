"""What the application needs of the outside: the tables of one transaction, and the ways to people."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from csm_common.contracts.contacts import ContactRecorded
from notifier.application.responses import Responses
from notifier.application.views import NotificationDetail, NotificationFilter, NotificationSummary
from notifier.domain.delivery import Answer, Verdict
from notifier.domain.notification import HeldBy, Notification, Status
from notifier.domain.policy import Contacted, Ruling, Suppression
from notifier.domain.recipients import Contact, Decision, Reach, Recipient


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A notification that needs somebody now, locked for the length of the transaction.

    `attempts` counts those made, and those of them before the last replay are `forgiven`. `interrupted` tells that the last one
    never said how it ended; `held_by` what it was held for until now.
    """

    notification: Notification
    received_at: datetime
    attempts: int = 0
    forgiven: int = 0
    interrupted: bool = False
    held_by: HeldBy | None = None

    @property
    def tries(self) -> int:
        """How many attempts count in the retry schedule."""
        return self.attempts - self.forgiven


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An attempt that is ours until `lease_until`: its number is the fence, for whoever begins one later has a higher one.

    `person` is the pseudonym of whom it goes to, None where that is not one person; `thread` are the ids of what was sent to them
    in the same run before, oldest first.
    """

    notification: Notification
    recipient: Recipient
    why: str
    endpoint: str
    attempt: int
    tries: int
    lease_until: datetime
    person: str | None = None
    valid_until: datetime | None = None
    thread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a notification without an attempt. `decision` is None where it was too late to look for a recipient."""

    notification: Notification
    verdict: Verdict
    decision: Decision | None = None
    endpoint: str | None = None
    person: str | None = None
    folded_into: str | None = None


@dataclass(frozen=True, slots=True)
class Attempted:
    """How an attempt ended, yet to be recorded."""

    begun: Begun
    verdict: Verdict


class Notifications(Protocol):
    """The notifications and their attempts."""

    async def add(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Take them in as pending; one that is known already is left as it is."""
        ...

    async def due(self, now: datetime, limit: int, busy: Collection[str]) -> Sequence[Due]:
        """Lock up to `limit` that are due, in nobody else's hands and not for a busy endpoint: longest due first."""
        ...

    async def meant_for(self, endpoints: Mapping[str, str]) -> None:
        """By notification id: the endpoint it will go to, so that it is passed over while that is busy."""
        ...

    async def begin(self, begun: Sequence[Begun], owner: str, now: datetime) -> None:
        """Write down that these attempts begin; attempts before them that never ended did so unknown."""
        ...

    async def threads(self, begun: Sequence[Begun]) -> Mapping[str, tuple[str, ...]]:
        """By notification id: what was sent to the same person in the same run before, oldest first."""
        ...

    async def settle(self, settled: Sequence[Settled], now: datetime) -> None:
        """Write down what became of those that are not sent now."""
        ...

    async def record(self, attempted: Sequence[Attempted], now: datetime) -> Collection[str]:
        """Write down how attempts ended: the ids of those that were still ours. Of others nothing is written."""
        ...

    async def page(
        self, wanted: NotificationFilter, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[NotificationSummary]:
        """Newest first, by request time and id; `before` is those of the last one of the page before."""
        ...

    async def detail(self, notification_id: str) -> NotificationDetail | None:
        """All that is known of one."""
        ...

    async def find(self, notification_id: str) -> tuple[Notification, Status, str | None] | None:
        """One as it was asked for, where it stands, and the person it went to."""
        ...

    async def in_hand(self, persons: Collection[str], before: datetime) -> bool:
        """Whether an attempt for one of these that began before then is still going on."""
        ...


class Paces(Protocol):
    """Endpoints that want their messages one by one, over all senders."""

    async def turn(self, endpoint: str, every: timedelta, now: datetime) -> datetime | None:
        """None where the turn is now, and ours; else when the next one comes."""
        ...


class ContactHistory(Protocol):
    """Who was contacted when, and the locks that let one decide at a time about a person or an account."""

    async def lock(self, persons: Collection[str], account_ids: Collection[str]) -> None:
        """Until the end of the transaction nobody else decides about these."""
        ...

    async def since(
        self, persons: Collection[str], account_ids: Collection[str], moment: datetime
    ) -> Sequence[Contacted]:
        """Every message to these persons or about these accounts at or after that moment."""
        ...

    async def add(self, contacted: Sequence[Contacted]) -> None:
        """These are told now; one that is known by its notification moves to the new time."""
        ...

    async def remove(self, notification_ids: Collection[str]) -> None:
        """Nobody was reached by these after all."""
        ...


class Suppressions(Protocol):
    """Persons who are not to be written to: of all categories, or of one."""

    async def of(self, persons: Collection[str]) -> Mapping[str, Sequence[Suppression]]:
        """Those in force, by person."""
        ...

    async def add(self, suppressions: Sequence[Suppression]) -> None:
        """In force from now on; one that is in force already is left as it is."""
        ...

    async def lift(self, person: str, category: str | None, now: datetime) -> None:
        """The person wants to hear of it again: what a person said no to themselves is over; bounces and complaints are not."""
        ...

    async def page(
        self,
        account_id: str | None,
        reason: str | None,
        before: tuple[datetime, str] | None,
        limit: int,
        *,
        contact_id: str | None = None,
        category: str | None = None,
    ) -> Sequence[Suppression]:
        """Those in force, newest first."""
        ...

    async def remove(self, suppression_id: str, now: datetime) -> bool:
        """An operator lifts one; False where there is none in force with that id."""
        ...


class Decisions(Protocol):
    """Every word of the contact policy, kept with its reason."""

    async def add(self, rulings: Sequence[tuple[str, Ruling]], now: datetime) -> None:
        """By notification id; a repetition of the last one is not written again."""
        ...


class DigestRows(Protocol):
    """Messages that wait for a digest, and the digests."""

    async def companions(self, due: Sequence[Due], now: datetime) -> Sequence[Due]:
        """Lock the others that wait for a digest which is due, for the persons and channels of those of `due` that do; none that
        somebody else is just looking at."""
        ...

    async def lock(self, persons: Collection[str]) -> None:
        """Until the end of the transaction nobody else makes digests for these."""
        ...

    async def known(self, ids: Collection[str]) -> Mapping[str, Notification | None]:
        """Those of these digests that are there; locked, or None where it is too late to add to them."""
        ...

    async def extend(self, digests: Sequence[Notification]) -> None:
        """Digests that are known and locked now tell more."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that became of a notification, for the rest of the product: `status` is the fact's word (delivered, failed,
    bounced, complained, opened, clicked, replied, unsubscribed …), `code` the channel's, `answer` a word of the receiver."""

    notification: Notification
    status: str
    at: datetime
    code: int | None = None
    answer: str | None = None
    number: int = 0


class Facts(Protocol):
    """What the rest of the product is told."""

    async def happened(self, happened: Sequence[Happened]) -> None:
        """`csm.outreach.changed`, one fact each: the same notification, status and number twice are one."""
        ...


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The score of an account at the end of a day, or now."""

    at: datetime
    score: float


class AccountHealth(Protocol):
    """What is known of the accounts' health from the snapshots."""

    async def trends(self, account_ids: Collection[str]) -> Mapping[str, Sequence[TrendPoint]]:
        """By account: at most one point a day for the last weeks, oldest first."""
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
    def paces(self) -> Paces:
        """Whose turn it is."""
        ...

    @property
    def history(self) -> ContactHistory:
        """Who was contacted when."""
        ...

    @property
    def suppressions(self) -> Suppressions:
        """Who is not to be written to."""
        ...

    @property
    def decisions(self) -> Decisions:
        """The words of the contact policy."""
        ...

    @property
    def digests(self) -> DigestRows:
        """The digests."""
        ...

    @property
    def health(self) -> AccountHealth:
        """The accounts' health."""
        ...

    @property
    def erasures(self) -> Erasures:
        """The forgetting."""
        ...

    @property
    def facts(self) -> Facts:
        """The outbox."""
        ...

    @property
    def responses(self) -> Responses:
        """What people did with messages."""
        ...


Left = Literal["nothing", "more", "for_room"]
"""What a look at what is due has left: nothing · more to look at now · some that wait for what is being sent to end."""

OpenWork = Callable[[], AbstractAsyncContextManager[Work]]
"""Begins a transaction, which lasts if the block ends without an error."""

PersonOf = Callable[[str], str]
"""The pseudonym of an address: the same for all spellings, and of no use to whom has not the key."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A message's words. `html` is there for mails; `lead` and `points` are what a chat shows beside the subject."""

    subject: str
    text: str
    html: str | None = None
    lead: str = ""
    points: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class TemplateError(Exception):
    """The template is unknown or cannot be rendered; the sentence says which and why."""


class Renderer(Protocol):
    """Templates in force."""

    async def render(self, template: str, locale: str | None, variables: Mapping[str, Any]) -> Rendered:
        """The words in the language nearest to the locale; TemplateError where there is no such template or it fails."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What a person can do about a message; None where no public address of the service is set, or it is for our own team."""

    unsubscribe: str | None = None
    preferences: str | None = None
    unsubscribe_mail: str | None = None
    bounces_to: str | None = None


class Linker(Protocol):
    """Makes the links of a message, and marks those in it where opens and clicks are counted."""

    def links(self, begun: Begun) -> Links:
        """Those of this message."""
        ...

    def marked(self, begun: Begun, words: Rendered) -> Rendered:
        """With a picture that tells of opens and links that tell of clicks, where the settings want it; else as they are."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """All a channel needs to send a message; `variables` are what its template saw."""

    begun: Begun
    words: Rendered
    now: datetime
    links: Links = field(default_factory=Links)
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a channel's endpoints are to be treated: messages at once, the least time between two, and whether a receiver knows a
    repeat by its idempotency key, so that a message that may have gone out can be sent again."""

    at_once: int
    every: timedelta = timedelta(0)
    repeatable: bool = True


class Channel(Protocol):
    """A way to people."""

    @property
    def reach(self) -> Reach:
        """Whom it can reach."""
        ...

    @property
    def manners(self) -> Manners:
        """How it is to be used."""
        ...

    def endpoint(self, recipient: Recipient) -> str:
        """The name under which the recipient's endpoint is paced, counted and left alone when it is out of order."""
        ...

    async def send(self, message: Outgoing) -> Answer:
        """Send, and tell how it was answered; bad answers and lost connections are answers too, not errors."""
        ...

    def abandon(self) -> None:
        """Give up on what is being sent right now: each of those sends answers at once."""
        ...
