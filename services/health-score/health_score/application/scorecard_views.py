"""What is shown of scorecards, and what is answered to whoever changes them."""

from dataclasses import dataclass
from datetime import datetime

from health_score.application.scorecard_history import Span
from health_score.application.scorecard_ports import TakingUp


@dataclass(frozen=True, slots=True)
class CardSummary:
    """A scorecard: its newest version, and the one in force (None: retired or never activated) with its condition."""

    name: str
    title: str
    newest_version: int
    active_version: int | None
    active_since: datetime | None
    applies_to: str | None
    priority: int


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """A version: who wrote it, why and when, and the times it was in force."""

    version: int
    author: str
    note: str
    created_at: datetime
    active: bool
    in_force: list[Span]


@dataclass(frozen=True, slots=True)
class Created:
    """The version a document has; `created` is false where it was there already."""

    name: str
    version: int
    created: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of the model by its number; `changed` is false where it was so already.

    `accounts` is how many are judged by another version, or another card, than before.
    """

    number: int
    name: str
    version: int | None
    changed: bool
    accounts: int


@dataclass(frozen=True, slots=True)
class Order:
    """Who changes the model and why; `outreach`: whether what it brings may start playbooks."""

    actor: str
    note: str = ""
    outreach: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """The newest change of the model, and how far it has got; `done` once every account was looked at by it."""

    number: int
    kind: str
    name: str
    version: int | None
    at: datetime
    taking_up: TakingUp
    done: bool
