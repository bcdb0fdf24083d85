"""The whole chain behind a message, for whoever asks: recipient, contact policy, step, run, crossing, measures, events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from notifier.domain.notification import HeldBy, Kind, Status
from notifier.domain.reasons import Crossing, Fact, Reasons, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What it was and what became of it. `account` is the account's name where it is known, `folded_into` the digest that tells
    it."""

    id: str
    kind: Kind
    account_id: str
    account: str | None
    channel: str
    category: str
    message_class: str
    template: str
    status: Status
    reason: str | None
    held_by: HeldBy | None
    requested_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    attempts: int
    folded_into: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Whom it goes to and why, without an address: `kind` is None where nobody could be reached, `name` where nobody knows it."""

    kind: str | None
    contact_id: str | None
    name: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """A word of the contact policy, by which rule, and until when it holds."""

    at: datetime
    word: str
    rule: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A measure that moved, in points of the whole score; `change` is what the score gained by it."""

    measure: str
    before: float | None
    after: float | None
    change: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The run of a playbook that asked for it, and why it began. Of old messages some is unknown."""

    id: str
    playbook: str
    version: int | None
    title: str | None
    started_at: datetime | None
    entered: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a service tells more; nobody was asked for this answer."""

    service: str
    path: str
    tells: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The chain, link by link. What is None or empty is not known: the message is old, or `erased`, or a trial of a template.

    A digest has no run of its own: `items` are the chains of the messages that it tells. `words` are sentences.
    """

    message: Message
    erased: bool
    recipient: Chosen | None
    policy: Sequence[Ruled]
    step: str | None
    steps_before: Sequence[Step]
    run: Run | None
    crossing_id: str | None
    crossing: Crossing | None
    measures: Sequence[Moved]
    facts: Sequence[Fact]
    links: Sequence[Link]
    items: Sequence["Why"] = ()
    words: Sequence[str] = ()


def explain(
    message: Message,
    recipient: Chosen | None,
    policy: Sequence[Ruled],
    reasons: Reasons,
    *,
    erased: bool = False,
    items: Sequence[Why] = (),
) -> Why:
    """The chain of a message, yet without words. That of a digest is told by its items."""
    known = reasons if message.kind == "outreach" else Reasons()
    crossing = known.crossing
    return Why(
        message=message,
        erased=erased,
        recipient=recipient,
        policy=policy,
        step=known.step,
        steps_before=known.steps,
        run=_run(known),
        crossing_id=crossing.id if crossing else known.crossing_id,
        crossing=crossing,
        measures=_measures(crossing),
        facts=known.facts,
        links=_links(message, known),
        items=items,
    )


def _run(reasons: Reasons) -> Run | None:
    if not reasons.run_id or not reasons.playbook:
        return None
    return Run(
        id=reasons.run_id,
        playbook=reasons.playbook,
        version=reasons.playbook_version,
        title=reasons.playbook_title,
        started_at=reasons.run_started_at,
        entered=reasons.entered,
    )


def _measures(crossing: Crossing | None) -> Sequence[Moved]:
    parts = crossing.parts if crossing else ()
    moved = [
        Moved(measure=each.measure, before=each.before, after=each.after, change=each.change)
        for each in parts
    ]
    return sorted(moved, key=lambda each: (-abs((each.after or 0.0) - (each.before or 0.0)), each.measure))


def _links(message: Message, reasons: Reasons) -> Sequence[Link]:
    links = []
    if reasons.run_id:
        path = f"/v1/runs/{quote(reasons.run_id, safe='')}"
        links.append(Link(service="playbooks", path=path, tells="the run with every step"))
    if reasons.crossing is not None:
        then = urlencode({"at": reasons.crossing.occurred_at.isoformat()})
        path = f"/v1/accounts/{quote(message.account_id, safe='')}/health/explain?{then}"
        links.append(Link(service="health-score", path=path, tells="the score at the crossing, sum by sum"))
    return links
