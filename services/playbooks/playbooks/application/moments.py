"""The lines of a run's story: a sentence for people, and beside it the same for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from playbooks.domain.run import Outcome
from playbooks.domain.steps import StepKind

What = Literal[
    "entered", "superseded",  # how it began
    "step", "retried",  # what was done, by the playbook and by people
    "due", "waiting", "held", "calling", "retrying", "paused",  # where it is now
    "completed", "exited", "failed", "cancelled",  # how it ended
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the story: `told` says what happened, `because` why, a sentence each.

    `path` is the way that was taken, `ref` the id of what it led to (a notification, a task, an approval, another run), `until`
    when a wait ends or ended, a claim ends, or a failed step is tried again. `revision` is that of the account's snapshot on
    which it was decided, `values` what its conditions spoke of: None where there are none, or that snapshot is not kept any more.
    `fact_ids` are the facts behind the crossing, `actor` is who did it where it was a person.
    """

    at: datetime
    what: What
    told: str
    because: Sequence[str] = ()
    step: str | None = None
    kind: StepKind | None = None
    outcome: Outcome | None = None
    path: str | None = None
    ref: str | None = None
    until: datetime | None = None
    revision: int | None = None
    values: Mapping[str, Any] | None = None
    crossing_id: str | None = None
    fact_ids: Sequence[str] = field(default_factory=list)
    actor: str | None = None
