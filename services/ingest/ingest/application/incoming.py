"""A sender's message on its way in: as it was received, and as one of the readers understands it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingest.domain.decision import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message as it came, with all that is needed to read it again after a mapping was mended.

    `format` names the reader. `body` is the message alone, as JSON. `context` is what its envelope said of it, such as the
    `sent_at` of its batch.
    """

    format: str
    source: str
    body: bytes
    at: datetime
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A fact whose account may not be known yet. `id` is unique within the source; `data` has the shape of `type`."""

    id: str
    type: str
    time: datetime
    data: dict[str, Any]
    backfill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message understood: what it tells, and of whom.

    `id` is the sender's own, the same when the message is sent again. `account` is the account where the message tells it.
    `users` are the names of the one person behind it, the best known first; the account is looked up by them where the
    message tells none. `joins` is the account that this message puts the person into. `merges` joins the persons that go by
    these names, even where each is known already. `fallback` is the account where none is told or known; without one the
    message waits. `name` and `properties` are what a tracking plan speaks of: the name the producer gave the event, and what
    it said with it.
    """

    id: str
    source: str
    time: datetime
    name: str
    properties: Mapping[str, Any]
    drafts: tuple[Draft, ...] = ()
    account: str | None = None
    users: tuple[str, ...] = ()
    joins: str | None = None
    merges: bool = False
    fallback: str | None = None


Reader = Callable[[Received], Incoming | Rejected]
"""Understands the messages of one format."""
