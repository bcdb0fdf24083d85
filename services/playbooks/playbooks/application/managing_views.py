"""What is shown of playbooks, and what is answered to whoever changes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from playbooks.application.managing_ports import InFlight, InForce
from playbooks.application.mistakes import Mistake
from playbooks.application.wording import counted
from playbooks.domain.definition import Trigger

State = Literal["active", "paused", "archived", "inactive"]
"""Inactive: no version is in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookSummary:
    """A playbook by the version in force, else the newest. `reason` tells why it is paused or archived."""

    name: str
    title: str
    state: State
    reason: str | None
    active_version: int | None
    newest_version: int
    trigger: Trigger
    purpose: str
    priority: int
    runs_in_flight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInfo:
    """A version: who wrote it, why and when, when it was put in force, and how many runs go by it."""

    version: int
    origin: str
    author: str
    note: str
    created_at: datetime
    active: bool
    in_force: list[InForce]
    runs_in_flight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A playbook with its versions, oldest first."""

    name: str
    title: str
    state: State
    reason: str | None
    active_version: int | None
    versions: list[VersionInfo]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """All mistakes in the order of the document, none in one that is valid; and what is allowed but looks wrong."""

    valid: bool
    mistakes: list[Mistake]
    warnings: list[Mistake]


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """The version a document has; `created` is false where it was there already. `told` says what becomes of runs in flight."""

    name: str
    version: int
    created: bool
    warnings: list[Mistake]
    runs_in_flight: list[InFlight]
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What is in force now; `changed` is false where it was so already."""

    name: str
    version: int
    changed: bool
    runs_in_flight: list[InFlight]
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thrown:
    """A playbook, or everything (`*`), as it is switched now, by whom and why; `changed` is false where it was so already."""

    name: str
    state: Literal["active", "paused", "archived"]
    reason: str | None
    actor: str | None
    at: datetime | None
    changed: bool
    told: str


def told_of_runs(in_flight: Sequence[InFlight], version: int | None) -> str:
    """What becomes of runs that are under way once another version is in force."""
    others = [each for each in in_flight if each.version != version]
    runs = sum(each.runs for each in others)
    if not runs:
        return "No run goes by another version."
    by_version: dict[int, int] = {}
    for each in others:
        by_version[each.version] = by_version.get(each.version, 0) + each.runs
    parts = ", ".join(f"{count} by version {number}" for number, count in sorted(by_version.items()))
    go, began = ("goes", "it began") if runs == 1 else ("go", "they began")
    return f"{counted(runs, 'run')} in flight {go} on by the version {began} with: {parts}."
