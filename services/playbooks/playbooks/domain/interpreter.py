"""What a run does next, decided from (program, run, what is known of the account, now) alone: whoever calls writes it down in one
transaction. One step a call, so that a step which fails never takes the one before it back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from playbooks.domain.actions import Notify, Task, Until, Webhook
from playbooks.domain.calendar import Calendar
from playbooks.domain.draw import draw
from playbooks.domain.durations import duration
from playbooks.domain.entry import Verdict
from playbooks.domain.program import Node, Program
from playbooks.domain.run import (
    Awaits,
    Outcome,
    Run,
    StepResult,
    complete_run,
    exit_run,
    held_told,
    note_failure,
)
from playbooks.domain.steps import OTHERWISE, Approve, Branch, End, Split, WaitUntil

NOTIFICATION_LIFETIME = timedelta(days=3)
"""A message that could not be sent by then is of no use any more."""

HELD_LOOK = timedelta(hours=1)
"""How often to look whether a step is still to be held back, beside each new snapshot."""

HELD_AT_MOST = timedelta(days=30)
"""What was held back for so long is not said any more."""

NO_ANSWER = "nobody came back from the call: the worker died, or took longer than its lease"

Said = Literal["approved", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person said to an approval."""

    said: Said
    by: str
    comment: str | None = None


class View(Protocol):
    """What a run can know of its account at this moment."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The account's own, for dates and zones."""
        ...

    @property
    def revision(self) -> int:
        """Of the snapshot that all of it is from."""
        ...

    def ask(self, condition: str) -> Verdict:
        """What a condition of the playbook says."""
        ...

    def holding(self) -> str | None:
        """Why nothing is to be sold to the account now; None where nothing speaks against it."""
        ...

    def answer(self, step: str) -> Answer | None:
        """What was said to the approval of a step."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestNotification:
    """Ask for a message."""

    step: str
    notify: Notify
    requested_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTask:
    """Give a person work."""

    step: str
    task: Task
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWebhook:
    """Call an endpoint: by whoever takes the run with `claim`, outside of any transaction; `called` takes the run on."""

    step: str
    webhook: Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class AskApproval:
    """Ask a person for a yes."""

    step: str
    approve: Approve
    expires_at: datetime


Effect = RequestNotification | OpenTask | CallWebhook | AskApproval


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The run as it is now, what has to be done for it, and what to write down of the step. An open wait has no result yet."""

    run: Run
    effect: Effect | None = None
    result: StepResult | None = None


def needs_view(program: Program, run: Run, now: datetime) -> bool:
    """Whether `advance` would look at the account: not for the end of a plain wait."""
    exits = program.definition.exit_when
    if exits is not None and exits.condition is not None:
        return True
    return run.awaits != "time"


def advance(program: Program, run: Run, view: View | None, calendar: Calendar, now: datetime) -> Decision:
    """Take the step at hand, if the run is active and due; otherwise the decision changes nothing.

    `view` may be None where `needs_view` says so.
    """
    if run.status != "active" or run.step is None or run.due_at is None or now < run.due_at:
        return Decision(run=run)
    if ended := _exit(program, run, view, now):
        return Decision(run=ended)
    node = program.nodes[run.step]
    match node.step.action:
        case str() | Until() as wait:
            return _wait(node, run, wait, view, calendar, now)
        case WaitUntil() as wait_until:
            return _wait_until(node, run, wait_until, _seen(view), now)
        case Approve() as approve:
            return _approve(node, run, approve, _seen(view), now)
    seen = _seen(view)
    if node.step.sales and (reason := seen.holding()):
        return _hold(run, reason, now)
    return _take(node, run, seen, calendar, now)


def _take(node: Node, run: Run, view: View, calendar: Calendar, now: datetime) -> Decision:
    """A step that waits for nothing."""
    since = held_told(run)
    run = replace(run, held=None, held_since=None, awaits=None)
    done = _Done(node, run, view.revision, now)
    match node.step.action:
        case Notify() as notify:
            expires_at = now + NOTIFICATION_LIFETIME
            request = RequestNotification(
                step=node.step.name, notify=notify, requested_at=now, expires_at=expires_at
            )
            return done("requested", reason=since, effect=request)
        case Task() as task:
            opening = OpenTask(step=node.step.name, task=task, due_at=calendar.due(task.due_in, now))
            return done("opened", reason=since, effect=opening)
        case Webhook() as webhook:
            waiting = replace(run, awaits="call", due_at=now)
            return Decision(run=waiting, effect=CallWebhook(step=node.step.name, webhook=webhook))
        case Branch() as branch:
            path, reason = _case(branch, view)
            return done("taken", path=path, reason=reason)
        case Split() as split:
            path = _drawn(node, run, split)
            return done("drawn", path=path, reason="drawn by the account's id")
        case End(reason=reason):
            decision = done("ended", reason=reason)
            return replace(decision, run=complete_run(decision.run, now, reason))
    raise AssertionError(node.step.kind)


def claim(run: Run, lease: timedelta, retry_after_s: Sequence[float], now: datetime) -> Run:
    """The run while somebody is out calling for its step. The attempt counts as failed until they come back: whoever dies on the
    way, or takes longer than the lease, leaves that behind. Failed where too many never came back."""
    if run.failures > len(retry_after_s):
        return note_failure(
            replace(run, failures=run.failures - 1), run.error or NO_ANSWER, retry_after_s, now
        )
    until = now + lease
    return replace(
        run, fence=run.fence + 1, lease_until=until, due_at=until, failures=run.failures + 1, error=NO_ANSWER
    )


def call_failed(run: Run, error: str, retry_after_s: Sequence[float], now: datetime) -> Run:
    """The claimed run after a call that somebody came back from without success."""
    return note_failure(replace(run, failures=run.failures - 1), error, retry_after_s, now)


def called(program: Program, run: Run, revision: int, status: int, now: datetime) -> Decision:
    """The run after its endpoint answered with a good `status`."""
    done = _Done(program.nodes[run.step or ""], replace(run, lease_until=None), revision, now)
    return done("called", reason=f"the endpoint answered {status}")


def skip_wait(program: Program, run: Run, reason: str, now: datetime) -> Decision:
    """The run with the wait at hand ended by a person: a plain one goes on, one for a condition as if it were met."""
    done = _Done(program.nodes[run.step or ""], run, None, now)
    return done("skipped", reason=reason)


def _exit(program: Program, run: Run, view: View | None, now: datetime) -> Run | None:
    definition = program.definition
    if definition.exit_when is not None and definition.exit_when.condition is not None:
        condition = definition.exit_when.condition
        if _seen(view).ask(condition).admitted:
            return exit_run(run, f"exit_when: {condition}", now)
    late = definition.late
    if late.then == "exit" and run.wake_at is not None and now > run.wake_at + duration(late.after):
        return exit_run(
            run, f"its wait ended at {run.wake_at:%Y-%m-%dT%H:%M:%SZ}, more than {late.after} ago", now
        )
    return None


def _wait(
    node: Node, run: Run, wait: str | Until, view: View | None, calendar: Calendar, now: datetime
) -> Decision:
    if run.wake_at is None:
        attributes = {} if view is None else view.attributes
        ends = now + duration(wait) if isinstance(wait, str) else calendar.wait_ends(wait, attributes, now)
        if ends is None:
            date = wait.date if isinstance(wait, Until) else None
            return _Done(node, run, _revision(view), now)("skipped", reason=f"the account has no date {date}")
        if ends < now:
            passed = replace(run, wake_at=ends)  # over at once, and not for being late
            return _Done(node, passed, _revision(view), now)("waited", reason="it had passed already")
        return Decision(run=_awaiting(run, "time", wake_at=ends, due_at=ends))
    if now < run.wake_at:  # due for another attempt, not yet awake
        return Decision(run=replace(run, due_at=run.wake_at))
    return _Done(node, run, _revision(view), now)("waited")


def _wait_until(node: Node, run: Run, wait: WaitUntil, view: View, now: datetime) -> Decision:
    if run.wake_at is None:
        # Due at once: what is written down as waiting is woken by every snapshot, and none slips in between.
        return Decision(run=_awaiting(run, "condition", wake_at=now + duration(wait.timeout), due_at=now))
    done = _Done(node, run, view.revision, now)
    if view.ask(wait.condition).admitted:
        return done("met", reason=wait.condition)
    if now < run.wake_at:
        return Decision(run=replace(run, due_at=run.wake_at))
    return done("timed_out", path="timed_out", reason=f"not within {wait.timeout}: {wait.condition}")


def _approve(node: Node, run: Run, approve: Approve, view: View, now: datetime) -> Decision:
    if run.wake_at is None:
        expires_at = now + duration(approve.expires_in)
        asking = AskApproval(step=node.step.name, approve=approve, expires_at=expires_at)
        return Decision(run=_awaiting(run, "approval", wake_at=expires_at, due_at=expires_at), effect=asking)
    done = _Done(node, run, view.revision, now)
    answer = view.answer(node.step.name)
    if answer is not None:
        told = f"{answer.said} by {answer.by}" + (f": {answer.comment}" if answer.comment else "")
        return done(answer.said, path=None if answer.said == "approved" else "rejected", reason=told)
    if now < run.wake_at:
        return Decision(run=replace(run, due_at=run.wake_at))
    return done("expired", path="expired", reason=f"nobody answered within {approve.expires_in}")


def _hold(run: Run, reason: str, now: datetime) -> Decision:
    since = run.held_since or now
    if now >= since + HELD_AT_MOST:
        run = replace(run, held=None)  # the reason says so already
        return Decision(run=exit_run(run, f"held back for {HELD_AT_MOST.days} days: {reason}", now))
    # As with conditions: first written down, then looked at once more.
    due_at = now if run.awaits != "hold" else now + HELD_LOOK
    held = replace(run, awaits="hold", held=reason, held_since=since, due_at=due_at, failures=0, error=None)
    return Decision(run=replace(held, lease_until=None))  # who comes back late from its call is refused


def _drawn(node: Node, run: Run, split: Split) -> str:
    name = f"{run.playbook}/{node.step.name}/{run.account_id}"
    return draw(name, [(each.name, each.share) for each in split.paths])


def _case(branch: Branch, view: View) -> tuple[str, str]:
    """The way to take, and why."""
    undecided = []
    for case in branch.cases:
        verdict = view.ask(case.when)
        if verdict.admitted:
            return case.name, case.when
        if verdict.problem is not None:
            undecided.append(f"{case.name}: {verdict.problem}")
    return OTHERWISE, "; ".join(["no case holds", *undecided])


def _awaiting(run: Run, what: Awaits, *, wake_at: datetime, due_at: datetime) -> Run:
    return replace(run, awaits=what, wake_at=wake_at, due_at=due_at, failures=0, error=None)


def _seen(view: View | None) -> View:
    if view is None:
        raise ValueError("this step has to know the account")
    return view


def _revision(view: View | None) -> int | None:
    return None if view is None else view.revision


@dataclass(frozen=True, slots=True)
class _Done:
    """Ends the step at hand: writes its result, and takes the run to the next step."""

    node: Node
    run: Run
    revision: int | None
    now: datetime

    def __call__(
        self,
        outcome: Outcome,
        *,
        path: str | None = None,
        reason: str | None = None,
        effect: Effect | None = None,
    ) -> Decision:
        run, step = self.run, self.node.step
        result = StepResult(
            run_id=run.id,
            position=run.position,
            step=step.name,
            kind=step.kind,
            at=self.now,
            outcome=outcome,
            path=path,
            reason=reason,
            until=run.wake_at,
            revision=self.revision,
        )
        following = self.node.after if path is None else self.node.ways[path]
        after = replace(
            run,
            position=run.position + 1,
            step=following,
            awaits=None,
            wake_at=None,
            due_at=self.now,
            failures=0,
            error=None,
        )
        return Decision(
            run=after if following else complete_run(after, self.now), effect=effect, result=result
        )
