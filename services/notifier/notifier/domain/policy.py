"""The contact policy: whether a message may go to its recipient now, and if not, what becomes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from notifier.domain.caps import Cap
from notifier.domain.digest import DigestTime
from notifier.domain.local_times import zone_named
from notifier.domain.notification import Notification
from notifier.domain.quiet_hours import QuietHours
from notifier.domain.recipients import Recipient

Word = Literal["send", "hold", "drop", "cap", "suppress"]
"""It may go · later · not at all: it wants no delay · not at all: there were enough · not at all: the person wants none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What is decided about a message, by which rule and why. `until` is when one that is held is looked at again; a word to
    send holds until `valid_until`.

    Rules: hard_bounce, complaint, manual, unsubscribed, consent, digest, quiet_hours, cap_person_7d and the like, none.
    """

    word: Word
    rule: str
    reason: str
    until: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacted:
    """A message that reached a person, or is about to. `person` is a pseudonym, None where it was an endpoint."""

    notification_id: str
    account_id: str
    person: str | None
    at: datetime
    priority: int
    category: str
    message_class: str


Reason = Literal["unsubscribed", "hard_bounce", "complaint", "manual"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A person is not to be written to about a category, or at all where it is None. Of whom it came is known by ids only."""

    id: str
    person: str
    category: str | None
    reason: Reason
    since: datetime
    account_id: str | None = None
    contact_id: str | None = None
    notification_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRules:
    """What counts for the messages of a class, beside bounces, complaints and an operator's word, which always do.

    Consent: of no account · sent unless the contact said no to the category · sent only where the contact said yes.
    """

    consent: Literal["none", "opt_out", "opt_in"] = "none"
    unsubscriptions: bool = False
    caps: bool = False
    quiet_hours: bool = False


_ALWAYS_SENT = ClassRules()
_STRICTEST = ClassRules(consent="opt_in", unsubscriptions=True, caps=True, quiet_hours=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPolicy:
    """What an operator decides; see docs/contact-policy.md. `zone` is where persons are of whom nobody knows."""

    classes: Mapping[str, ClassRules] = field(default_factory=dict)
    caps: tuple[Cap, ...] = ()
    quiet_hours: QuietHours | None = None
    category_digests: Mapping[str, DigestTime] = field(default_factory=dict)
    class_digests: Mapping[str, DigestTime] = field(default_factory=dict)
    zone: ZoneInfo = ZoneInfo("UTC")  # noqa: RUF009  (immutable)

    def rules(self, notification: Notification) -> ClassRules:
        """Those of its class; somebody's trial of a template is only kept from those who must not be written to at all."""
        return _ALWAYS_SENT if notification.kind == "test" else self.class_rules(notification.message_class)

    def class_rules(self, message_class: str) -> ClassRules:
        """Those of a class; the strictest for one nobody has told of."""
        return self.classes.get(message_class, _STRICTEST)

    def caps_of(self, notification: Notification, per: Literal["person", "account"]) -> Sequence[Cap]:
        """The caps that count for it."""
        return [each for each in self.caps if each.per == per] if self.rules(notification).caps else ()

    def digest_time(self, notification: Notification) -> DigestTime | None:
        """When messages of its category, or else of its class, are told together; None for those that go by themselves."""
        if notification.kind != "outreach":
            return None
        return self.category_digests.get(notification.category) or self.class_digests.get(
            notification.message_class
        )

    def zone_of(self, notification: Notification, recipient: Recipient) -> ZoneInfo:
        """Where the recipient is: as the contact says, else as the account says, else as the policy says."""
        account = notification.context.get("account")
        attribute = account.get("timezone") if isinstance(account, Mapping) else None
        return zone_named(recipient.timezone) or zone_named(attribute) or self.zone
