"""The steps of a playbook: messages, waits, tasks. A further kind is one more member of Step."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from playbooks.domain.durations import duration
from playbooks.domain.rules import STRICT, require, require_duration, require_name, require_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom to reach, by exactly one of: the account's owner, the role of a contact, the id of a contact."""

    __pydantic_config__ = STRICT

    owner: bool = False
    role: str | None = None
    contact: str | None = None

    def __post_init__(self) -> None:
        given = [self.owner, self.role is not None, self.contact is not None]
        require(sum(given) == 1, "give one of owner: true, role: NAME, contact: ID")
        for member, text in (("role", self.role), ("contact", self.contact)):
            require(text is None or bool(text.strip()), "must not be empty", member)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """A message to the first of the recipients who can be resolved."""

    __pydantic_config__ = STRICT

    channel: Literal["email"]
    recipients: tuple[Recipient, ...]
    template: str
    category: str
    message_class: Literal["transactional", "internal", "marketing"]

    def __post_init__(self) -> None:
        require(bool(self.recipients), "at least one recipient is needed", "recipients")
        require_name(self.template, "template")
        require_name(self.category, "category")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Work for a person, due `due_in` after the step. Type and reason are the identity of an account's open task."""

    __pydantic_config__ = STRICT

    type: str
    title: str
    reason: str
    assignee: Literal["owner"]
    due_in: str

    def __post_init__(self) -> None:
        require_name(self.type, "type")
        require_text(self.title, "title")
        require_text(self.reason, "reason")
        require_duration(self.due_in, "due_in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing happens until `length` has passed."""

    length: timedelta


Action = Notify | Task | Wait
StepKind = Literal["notify", "wait", "task"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: a name, and one thing to do."""

    __pydantic_config__ = STRICT

    name: str
    notify: Notify | None = None
    wait: str | None = None
    task: Task | None = None

    def __post_init__(self) -> None:
        require_name(self.name, "name")
        given = [each for each in (self.notify, self.wait, self.task) if each is not None]
        require(len(given) == 1, f"step {self.name} must be one of notify, wait, task")
        if self.wait is not None:
            require_duration(self.wait, "wait")

    @property
    def kind(self) -> StepKind:
        """Which of the members is given."""
        return "notify" if self.notify else "task" if self.task else "wait"

    @property
    def action(self) -> Action:
        """What the step does."""
        return self.notify or self.task or Wait(length=duration(self.wait or ""))
