"""Steps of each kind by name alone, for tests of where a run goes."""

from collections.abc import Sequence

from tests.unit.playbooks.builders import NOTIFY, TASK

from playbooks.domain.actions import Until, Webhook
from playbooks.domain.steps import Approve, Branch, Case, End, Path, Split, Step, WaitUntil


def notify(name: str = "tell", *, sales: bool = False) -> Step:
    """Tells somebody."""
    return Step(name=name, notify=NOTIFY.notify, sales=sales)


def task(name: str = "follow_up", *, sales: bool = False) -> Step:
    """Gives the owner work for a day."""
    return Step(name=name, task=TASK.task, sales=sales)


def webhook(name: str = "crm", *, sales: bool = False) -> Step:
    """Calls the endpoint crm."""
    return Step(name=name, webhook=Webhook(endpoint="crm", data={"stage": "risk"}), sales=sales)


def wait(name: str = "pause", duration: str = "2d") -> Step:
    """Waits for a time."""
    return Step(name=name, wait=duration)


def until(name: str = "morning", **members: str) -> Step:
    """Waits for an instant on the calendar."""
    return Step(name=name, wait=Until(**members))  # type: ignore[arg-type]


def wait_until(
    name: str = "better", condition: str = "good", timeout: str = "14d", otherwise: Sequence[Step] = ()
) -> Step:
    """Waits for a condition."""
    return Step(
        name=name, wait_until=WaitUntil(condition=condition, timeout=timeout, otherwise=tuple(otherwise))
    )


def branch(name: str = "by_size", otherwise: Sequence[Step] = (), **cases: Sequence[Step]) -> Step:
    """A case for each keyword, whose condition is its name."""
    made = tuple(Case(name=case, when=case, steps=tuple(steps)) for case, steps in cases.items())
    return Step(name=name, branch=Branch(cases=made, otherwise=tuple(otherwise)))


def split(name: str = "tone", **paths: Sequence[Step]) -> Step:
    """A path for each keyword, all of the same share."""
    return Step(name=name, split=Split(paths=tuple(Path(name=p, steps=tuple(s)) for p, s in paths.items())))


def approve(
    name: str = "ask",
    rejected: Sequence[Step] = (),
    expired: Sequence[Step] = (),
    expires_in: str = "3d",
    *,
    sales: bool = False,
) -> Step:
    """Asks the owner."""
    return Step(
        name=name,
        sales=sales,
        approve=Approve(
            title="May we?", rejected=tuple(rejected), expired=tuple(expired), expires_in=expires_in
        ),
    )


def end(name: str = "stop", reason: str = "nothing more to do") -> Step:
    """Ends the run."""
    return Step(name=name, end=End(reason=reason))
