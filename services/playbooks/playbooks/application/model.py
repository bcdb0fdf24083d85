"""What the handlers work with: a playbook ready for use, and what health-score told, as decoded and as received."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from csm_common.contracts.health import AccountSnapshot, Crossing
from playbooks.domain.definition import Definition
from playbooks.domain.entry import RefusalCode, Verdict

Audience = Callable[[AccountSnapshot], Verdict]
PlaybookKey = tuple[str, int]
"""Name and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """One version of a playbook with its audience compiled."""

    version: int
    definition: Definition
    audience: Audience

    @property
    def name(self) -> str:
        """The name all its versions share."""
        return self.definition.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSnapshot:
    """An account's snapshot and the bytes it came in."""

    snapshot: AccountSnapshot
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedCrossing:
    """A crossing with its id, the bytes it came in, and the trace it belongs to."""

    id: str
    crossing: Crossing
    data: bytes
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a crossing meant for one playbook: a run, or the reason why there is none."""

    crossing_id: str
    playbook: str
    version: int
    account_id: str
    decided_at: datetime
    outcome: Literal["started", "refused"]
    run_id: str | None = None
    code: RefusalCode | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Work of a person. `run_id` is the run that asked last, `asked` how many steps have asked for it while it was open."""

    id: str
    account_id: str
    type: str
    title: str
    reason: str
    owner: str | None
    due_at: datetime
    run_id: str
    created_at: datetime
    updated_at: datetime
    status: Literal["open"] = "open"
    asked: int = 1
