"""What people send to the desks of tasks and approvals."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from playbooks.application.task_desk import NewTask
from playbooks.domain.actions import Assignee
from playbooks.domain.durations import duration, working_days

_READABLE = r"^[^\x00]*[^\x00\s][^\x00]*$"
"""Not blank, and without a NUL, which PostgreSQL has not in a text."""

Line = Annotated[str, Field(min_length=1, max_length=200, pattern=_READABLE)]
Text = Annotated[str, Field(min_length=1, max_length=4000, pattern=_READABLE)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
When = Annotated[
    AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC))
]
"""With a zone, as in 2026-03-02T09:00:00Z, and within what every calendar knows."""
People = Annotated[
    tuple[Line, ...],
    Field(max_length=200, description="Contact ids, nobody twice.", json_schema_extra={"uniqueItems": True}),
]

STRICT = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Who gets the task: a contact id, the least loaded of several, or whoever's turn it is. Of several, it stays with whom it is
    where that is one of them."""

    __pydantic_config__ = STRICT

    to: Line | None = None
    least_loaded: People = ()
    round_robin: People = ()

    def __post_init__(self) -> None:
        self.assignee()

    def assignee(self) -> Assignee:
        """As playbooks write it; ValueError unless it is exactly one."""
        if sum((self.to is not None, bool(self.least_loaded), bool(self.round_robin))) != 1:
            raise ValueError("give one of to: ID, least_loaded: [ID …], round_robin: [ID …]")
        return Assignee(contact=self.to, least_loaded=self.least_loaded, round_robin=self.round_robin)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTask:
    """A task that a person opens by hand. Type and reason are its identity: an account has one of them to be done. Without
    `assignee` the account's owner gets it; it is due `due_in` (`3wd`, `2d`, `4h`) or `due_at`."""

    __pydantic_config__ = STRICT

    account_id: Line
    type: Name
    title: Line
    reason: Line
    assignee: Assign | None = None
    due_in: Line | None = None
    due_at: When | None = None
    comment: Text | None = None

    def __post_init__(self) -> None:
        if (self.due_in is None) == (self.due_at is None):
            raise ValueError("give one of due_in and due_at")
        if self.due_in is not None and working_days(self.due_in) is None:
            duration(self.due_in)

    def task(self) -> NewTask:
        """As the desk takes it."""
        return NewTask(
            account_id=self.account_id,
            type=self.type,
            title=self.title,
            reason=self.reason,
            assignee=None if self.assignee is None else self.assignee.assignee(),
            due_in=self.due_in,
            due_at=self.due_at,
            comment=self.comment,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """Until when a task is put aside: a time, the account's score (it comes back at that or below), or whichever comes first."""

    __pydantic_config__ = STRICT

    until: When | None = None
    score: Annotated[float, Field(ge=0, le=100)] | None = None

    def __post_init__(self) -> None:
        if self.until is None and self.score is None:
            raise ValueError("give until, score, or both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """What came of a task, in a word or two: conditions of playbooks ask for it (`steps.call.task.outcome == 'reached'`)."""

    __pydantic_config__ = STRICT

    outcome: Line
    comment: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTask:
    """Why nobody has to do it any more."""

    __pydantic_config__ = STRICT

    reason: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What there is to say about a task."""

    __pydantic_config__ = STRICT

    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What there is to say to a question beside yes or no; the run's timeline shows it."""

    __pydantic_config__ = STRICT

    comment: Text | None = None
