"""What the handlers work with: a playbook ready for use, and what health-score told, as decoded and as received."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from csm_common.contracts.health import AccountSnapshot, Crossing
from playbooks.domain.definition import Definition
from playbooks.domain.entry import RefusalCode, Verdict
from playbooks.domain.program import Program
from playbooks.domain.run import StepResult

PlaybookKey = tuple[str, int]
"""Name and version."""

EVERYTHING = "*"
"""The name of the switch that stops all playbooks at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a condition may speak of: the newest snapshot, the crossing that began it, and the steps so far, with what people said
    of the tasks (`tasks`: step → status and outcome). Audiences and goals know the account alone."""

    snapshot: AccountSnapshot
    crossing: Crossing | None = None
    results: Mapping[str, StepResult] = field(default_factory=dict)
    tasks: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)


Condition = Callable[[Known], Verdict]
Compile = Callable[[str], Condition]


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """One version of a playbook, laid out, with its conditions compiled by their text."""

    version: int
    definition: Definition
    program: Program
    conditions: Mapping[str, Condition]

    @property
    def name(self) -> str:
        """The name all its versions share."""
        return self.definition.name

    def ask(self, condition: str, known: Known) -> Verdict:
        """What one of its conditions says."""
        return self.conditions[condition](known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Whether a playbook may do anything: paused, nothing starts and no step is taken; archived, nothing starts. The name
    EVERYTHING is that of all of them."""

    name: str
    state: Literal["active", "paused", "archived"]
    reason: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSnapshot:
    """An account's snapshot and the bytes it came in."""

    snapshot: AccountSnapshot
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """Accounts of which news may be on its way that cannot be read yet: `changing` are being written by somebody right now, of
    `unknown` ones there is nothing."""

    changing: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()


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
    outcome: Literal["started", "refused", "held_out"]
    run_id: str | None = None
    code: RefusalCode | None = None
    reason: str | None = None


TaskStatus = Literal["open", "snoozed", "done", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Work of a person. `run_id`, `playbook` and `step` are those that asked last, None where only people have; `asked` is how
    often it was asked for while it was open.

    Snoozed, it comes back at `snoozed_until`, or when the score is at or below `snoozed_score`.
    """

    id: str
    account_id: str
    type: str
    title: str
    reason: str
    owner: str | None
    due_at: datetime
    run_id: str | None
    playbook: str | None
    step: str | None
    created_at: datetime
    updated_at: datetime
    status: TaskStatus = "open"
    asked: int = 1
    claimed_by: str | None = None
    snoozed_until: datetime | None = None
    snoozed_score: float | None = None
    outcome: str | None = None
    done_at: datetime | None = None
    done_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskNote:
    """A line in the history of a task: what somebody did to it, or a comment (action `commented`)."""

    task_id: str
    at: datetime
    actor: str
    action: str
    text: str


ApprovalStatus = Literal["pending", "approved", "rejected", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A question to a person, and what they said. `by` are those who may answer: contact ids, or `owner`."""

    id: str
    run_id: str
    playbook: str
    step: str
    account_id: str
    title: str
    by: tuple[str, ...]
    asked_at: datetime
    expires_at: datetime
    status: ApprovalStatus = "pending"
    answered_at: datetime | None = None
    answered_by: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One change or action: who did what to what. `subject` is `playbook:name`, `run:id`, `task:id`, `approval:id`, `engine`;
    `actor` is `key:…`, `person:…`, `playbook:name/version` or `system`."""

    at: datetime
    actor: str
    action: str
    subject: str
    account_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
