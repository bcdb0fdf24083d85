"""Whether a crossing may start a run, and if not, why: the reason is kept, so that silence can be explained too."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from playbooks.domain.definition import Definition
from playbooks.domain.draw import fraction
from playbooks.domain.durations import duration
from playbooks.domain.run import Run

RefusalCode = Literal[
    "no_news", "too_old", "overtaken", "paused", "limit", "audience", "audience_undecided", "already_active",
    "purpose_active", "once_per", "held_out",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a condition says; `problem` tells why it could not be decided."""

    admitted: bool
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why no run was started: a code for programs, a sentence for people."""

    code: RefusalCode
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known where a crossing asks for a run.

    `news` is whether the customer changed; `age` is how long ago they did, and `overtaken` whether it is so no more by what has
    been told since. `paused` tells why nothing may start, `active` is the account's active run of the same purpose, `last_start`
    when it last entered (took a step, or was held out), `starts_this_hour` how many runs of the playbook began in the last hour.
    """

    news: bool
    age: timedelta
    overtaken: bool
    paused: str | None
    verdict: Verdict
    active: Run | None
    last_start: datetime | None
    starts_this_hour: int


TOO_OLD = timedelta(days=7)
"""Nobody is approached for what happened so long ago."""

FRESH = timedelta(hours=1)
"""What is older is looked at again before anybody is approached for it."""

NO_NEWS = Refusal(
    code="no_news",
    reason="The scorecard or a source changed, not the customer, and outreach was not asked for with the change.",
)


def refusal(definition: Definition, known: Circumstances, now: datetime) -> Refusal | None:
    """Why the account may not enter now; None where it may. Being held out comes after this, and is no refusal of the account.

    An active run of the same purpose stands in the way, unless it is of another playbook with a lower priority.
    """
    if not known.news:
        return NO_NEWS
    if late := _late(known):
        return late
    if known.paused is not None:
        return Refusal(code="paused", reason=known.paused)
    if known.verdict.problem is not None:
        return Refusal(
            code="audience_undecided", reason=f"The audience could not be decided: {known.verdict.problem}."
        )
    if not known.verdict.admitted:
        return Refusal(code="audience", reason=f"The account is not in the audience: {definition.audience}")
    return _busy(definition, known.active) or _again(definition, known, now) or _limit(definition, known)


def _late(known: Circumstances) -> Refusal | None:
    """After an outage, or where playbooks come to a log that others have filled before."""
    if known.age > TOO_OLD:
        return Refusal(
            code="too_old", reason=f"It happened {known.age.days} days ago: too long to speak of it now."
        )
    if known.overtaken:
        return Refusal(
            code="overtaken", reason="It was read late, and by the newest snapshot it is so no more."
        )
    return None


def _busy(definition: Definition, active: Run | None) -> Refusal | None:
    if active is None:
        return None
    if active.playbook == definition.name:
        return Refusal(code="already_active", reason=f"Run {active.id} is still active.")
    if active.priority < definition.priority:
        return None
    return Refusal(
        code="purpose_active",
        reason=f"Run {active.id} of {active.playbook} serves the same purpose, {definition.serves}, with priority"
        f" {active.priority}; this playbook has {definition.priority}.",
    )


def _again(definition: Definition, known: Circumstances, now: datetime) -> Refusal | None:
    period = definition.entry.once_per
    if period is None or known.last_start is None or now >= known.last_start + duration(period):
        return None
    return Refusal(
        code="once_per",
        reason=f"It entered at {known.last_start:%Y-%m-%dT%H:%M:%SZ}, and may once per {period}.",
    )


def _limit(definition: Definition, known: Circumstances) -> Refusal | None:
    limits = definition.limits
    if limits is None or known.starts_this_hour < limits.starts_per_hour:
        return None
    return Refusal(
        code="limit",
        reason=f"{known.starts_this_hour} runs began within an hour, and at most {limits.starts_per_hour} may.",
    )


def held_out(definition: Definition, account_id: str) -> Refusal | None:
    """Whether the account is one of those left alone: the same for all playbooks of a programme, whatever their shares, since
    a smaller share lies within a larger one."""
    holdout = definition.holdout
    if holdout is None:
        return None
    programme = holdout.programme or definition.name
    if fraction(f"holdout/{programme}/{account_id}") >= holdout.share:
        return None
    return Refusal(
        code="held_out",
        reason=f"The account is in the {holdout.share:.0%} of {programme} that are left alone to compare with.",
    )
