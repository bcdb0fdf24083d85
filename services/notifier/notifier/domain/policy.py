"""The contact policy: whether a message may go to its recipient now, and if not, what becomes of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Word = Literal["send", "hold", "drop", "cap", "suppress"]
"""It may go · later · not at all, as it wants no delay · not at all, for there were enough · not at all, as the person wants none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What is decided about a message, by which rule and why. `until` is when one that is held is looked at again; a word to send holds
    until `valid_until`."""

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
