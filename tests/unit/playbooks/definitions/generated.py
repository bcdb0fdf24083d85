"""Any definition at all, for properties: trees of every kind of step, with all members that a person can give."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from hypothesis import strategies as st

from playbooks.domain.actions import Assignee, Notify, Recipient, Task, Until, Webhook
from playbooks.domain.definition import Definition, Entry, ExitWhen, Goal, Holdout, Late, Limits, Trigger
from playbooks.domain.steps import Approve, Branch, Case, End, Path, Split, Step, WaitUntil

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
# Neither controls nor halves of characters, which YAML and the database cannot have.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12).filter(
    lambda text: bool(text.strip())
)
DURATIONS = st.builds("{}{}".format, st.integers(1, 999), st.sampled_from("smhdw"))
CONDITIONS = st.sampled_from(
    [
        "true",
        "score >= 60",
        "account.plan == 'pro'",
        "'at_risk' in thresholds",
        "!has(account.x) || account.x > 1.5",
    ]
)
TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
IDS = st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(tuple)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
UNTILS = st.builds(
    Until,
    time=TIMES,
    days=st.sampled_from(["any", "working"]),
    zone=st.sampled_from(["account", "Europe/Berlin"]),
) | st.builds(Until, date=TEXTS, before=st.none() | DURATIONS, time=st.none() | TIMES)
PEOPLE = (
    st.builds(Recipient, owner=st.just(True))
    | st.builds(Recipient, role=TEXTS)
    | st.builds(Recipient, contact=TEXTS)
)
TEAMS, ENDPOINTS = st.builds(Recipient, team=st.just(True)), st.builds(Recipient, endpoint=NAMES)
REACHED = {
    "email": PEOPLE | TEAMS,
    "slack": PEOPLE | TEAMS | ENDPOINTS,
    "teams": PEOPLE | TEAMS | ENDPOINTS,
    "webhook": TEAMS | ENDPOINTS,
}
NOTIFICATIONS = st.sampled_from(sorted(REACHED)).flatmap(
    lambda channel: st.builds(
        Notify,
        channel=st.just(channel),
        recipients=st.lists(REACHED[channel], min_size=1, max_size=2).map(tuple),
        template=NAMES,
        category=NAMES,
        message_class=st.sampled_from(["transactional", "internal", "marketing"]),
        if_held=st.sampled_from(["later", "drop"]),
    )
)
TASKS = st.builds(
    Task,
    type=NAMES,
    title=TEXTS,
    reason=TEXTS,
    assignee=st.just("owner")
    | st.builds(Assignee, contact=TEXTS)
    | st.builds(Assignee, least_loaded=IDS)
    | st.builds(Assignee, round_robin=IDS),
    due_in=DURATIONS | st.just("3wd"),
)

Draw = Callable[[st.SearchStrategy[Any]], Any]


@st.composite
def definitions(draw: Draw) -> Definition:
    """A definition whose names are unique, at most three steps deep."""
    names = (f"step_{number}" for number in count())
    return Definition(
        name=draw(NAMES),
        title=draw(TEXTS),
        description=draw(st.just("") | TEXTS),
        trigger=Trigger(threshold=draw(NAMES), direction=draw(st.sampled_from(["entered", "left"]))),
        audience=draw(CONDITIONS),
        entry=Entry(once_per=draw(st.none() | DURATIONS)),
        purpose=draw(st.none() | NAMES),
        priority=draw(st.integers(-1000, 1000)),
        holdout=draw(
            st.none()
            | st.builds(Holdout, share=st.sampled_from([0.1, 0.5, 1e-3]), programme=st.none() | NAMES)
        ),
        limits=draw(st.none() | st.builds(Limits, starts_per_hour=st.integers(1, 10**6))),
        goal=draw(st.none() | st.builds(Goal, condition=CONDITIONS, within=DURATIONS)),
        exit_when=draw(
            st.none()
            | st.builds(
                ExitWhen,
                left=st.lists(NAMES, max_size=2).map(tuple),
                condition=st.none() | st.just("crossing.before > 3 && score < 5"),
            )
        ),
        late=draw(st.builds(Late, after=DURATIONS, then=st.sampled_from(["go_on", "exit"]))),
        steps=_steps(draw, names, depth=0, least=1),
    )


def _steps(draw: Draw, names: Iterator[str], *, depth: int, least: int = 0) -> tuple[Step, ...]:
    size = draw(st.integers(least, 3 if depth == 0 else 2))
    return tuple(_step(draw, names, depth) for _ in range(size))


def _step(draw: Draw, names: Iterator[str], depth: int) -> Step:
    kinds = ["notify", "wait", "until", "task", "webhook", "end"]
    kind = draw(
        st.sampled_from(kinds if depth == 2 else [*kinds, "wait_until", "branch", "split", "approve"])
    )
    name, sales = next(names), draw(st.booleans())

    def inner() -> tuple[Step, ...]:
        return _steps(draw, names, depth=depth + 1)

    match kind:
        case "notify":
            return Step(name=name, sales=sales, notify=draw(NOTIFICATIONS))
        case "wait":
            return Step(name=name, wait=draw(DURATIONS))
        case "until":
            return Step(name=name, wait=draw(UNTILS))
        case "task":
            return Step(name=name, sales=sales, task=draw(TASKS))
        case "webhook":
            data = draw(st.none() | st.dictionaries(TEXTS, PLAIN, max_size=2))
            return Step(name=name, webhook=Webhook(endpoint=draw(NAMES), data=data))
        case "end":
            return Step(name=name, end=End(reason=draw(TEXTS)))
        case "wait_until":
            wait = WaitUntil(condition=draw(CONDITIONS), timeout=draw(DURATIONS), otherwise=inner())
            return Step(name=name, wait_until=wait)
        case "branch":
            cases = [Case(name=each, when=draw(CONDITIONS), steps=inner()) for each in ("big", "small")]
            return Step(name=name, branch=Branch(cases=tuple(cases), otherwise=inner()))
        case "split":
            paths = [Path(name=each, share=draw(st.sampled_from([1.0, 2.5])), steps=inner()) for each in "ab"]
            return Step(name=name, split=Split(paths=tuple(paths)))
    approve = Approve(
        title=draw(TEXTS),
        by=draw(st.just("owner") | IDS),
        expires_in=draw(DURATIONS),
        rejected=inner(),
        expired=inner(),
    )
    return Step(name=name, sales=sales, approve=approve)
