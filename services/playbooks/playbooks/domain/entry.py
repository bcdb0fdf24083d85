"""Whether a crossing may start a run, and if not, why: the reason is kept, so that silence can be explained too."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from playbooks.domain.definition import Definition
from playbooks.domain.durations import duration
from playbooks.domain.run import Run

RefusalCode = Literal["audience", "audience_undecided", "already_active", "once_per", "no_news"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the audience says of an account; `problem` tells why it could not be decided."""

    admitted: bool
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why no run was started: a code for programs, a sentence for people."""

    code: RefusalCode
    reason: str


NO_NEWS = Refusal(
    code="no_news",
    reason="The scorecard or a source changed, not the customer, and outreach was not asked for with the change.",
)


def refusal(
    definition: Definition, verdict: Verdict, active: Run | None, last_start: datetime | None, now: datetime
) -> Refusal | None:
    """Why the account may not enter now; None where it may.

    `active` is its active run of this playbook, `last_start` the start of its last run that took a step.
    """
    if verdict.problem is not None:
        return Refusal(
            code="audience_undecided", reason=f"The audience could not be decided: {verdict.problem}."
        )
    if not verdict.admitted:
        return Refusal(code="audience", reason=f"The account is not in the audience: {definition.audience}")
    if active is not None:
        return Refusal(code="already_active", reason=f"Run {active.id} is still active.")
    period = definition.entry.once_per
    if period is not None and last_start is not None and now < last_start + duration(period):
        return Refusal(
            code="once_per",
            reason=f"It entered at {last_start:%Y-%m-%dT%H:%M:%SZ}, and may once per {period}.",
        )
    return None
