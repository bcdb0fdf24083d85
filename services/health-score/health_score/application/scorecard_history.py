"""Which version of a scorecard was in force when, as the changes of the model tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from health_score.application.model_ports import ModelChange


@dataclass(frozen=True, slots=True)
class Span:
    """A time in force: from the change of this number until another one (None: still). Who activated it, and why."""

    number: int
    version: int
    since: datetime
    until: datetime | None
    actor: str
    note: str
    outreach: bool


def spans(changes: Sequence[ModelChange], name: str) -> list[Span]:
    """The times in force of a scorecard's versions, oldest first."""
    mine = [each for each in changes if each.name == name and each.kind in ("activate", "retire")]
    ends: list[datetime | None] = [*(each.at for each in mine[1:]), None]
    return [
        Span(each.number, each.version, each.at, end, each.actor, each.note, each.outreach)
        for each, end in zip(mine, ends, strict=True)
        if each.kind == "activate" and each.version is not None
    ]


def before(changes: Sequence[ModelChange], name: str) -> int | None:
    """The version to roll back to: the one that was in force before the present one first was; None if there is none.

    Going back twice goes back two versions, not forth again.
    """
    stack: list[int] = []
    for each in changes:
        if each.name != name:
            continue
        if each.kind == "retire":
            stack.clear()
        elif each.kind == "activate" and each.version is not None:
            known = stack.index(each.version) if each.version in stack else len(stack)
            stack[known:] = [each.version]
    return stack[-2] if len(stack) > 1 else None
