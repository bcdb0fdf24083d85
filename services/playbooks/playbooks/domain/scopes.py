"""What each condition of a playbook can know: audiences and goals the account alone, those inside a run also the steps before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playbooks.domain.definition import Definition
from playbooks.domain.rules import Place
from playbooks.domain.steps import Approve, End, Step, conditions, ways


@dataclass(frozen=True, slots=True)
class Scope:
    """`before` are the steps that can have been taken by then, None outside of a run; `others` are the playbook's other steps."""

    before: frozenset[str] | None = None
    others: frozenset[str] = frozenset()


ACCOUNT = Scope()
"""Nothing but the account."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A condition, where it is written, and what it can know."""

    expression: str
    place: tuple[Place, ...]
    scope: Scope


def placed_conditions(definition: Definition) -> Iterator[Placed]:
    """Every condition of a playbook, those outside of the steps first."""
    yield Placed(definition.audience, ("audience",), ACCOUNT)
    if definition.goal is not None:
        yield Placed(definition.goal.condition, ("goal", "condition"), ACCOUNT)
    found = _Walk(frozenset(step.name for step, _ in definition.all_steps()))
    if definition.exit_when is not None and definition.exit_when.condition is not None:
        yield Placed(definition.exit_when.condition, ("exit_when", "condition"), Scope(found.every))
    found.take(definition.steps, frozenset(), ("steps",))
    yield from found.placed


def unreachable_steps(definition: Definition) -> Iterator[tuple[str, tuple[Place, ...]]]:
    """Steps no run comes to, with their places: those right behind an `end`, or behind a step all of whose ways end the run."""
    found = _Walk(frozenset(step.name for step, _ in definition.all_steps()))
    found.take(definition.steps, frozenset(), ("steps",))
    yield from found.unreachable


class _Walk:
    """One pass over the tree, in the order of a run."""

    def __init__(self, every: frozenset[str]) -> None:
        self.every = every
        self.placed: list[Placed] = []
        self.unreachable: list[tuple[str, tuple[Place, ...]]] = []

    def take(
        self, steps: Sequence[Step], before: frozenset[str], place: tuple[Place, ...]
    ) -> frozenset[str] | None:
        """The steps that can have been taken after these; None where the run has ended by then."""
        known: frozenset[str] | None = before
        for index, step in enumerate(steps):
            here = (*place, index)
            if known is None:
                self.unreachable.append((step.name, here))
                known = before
            known = self._step(step, known, here)
        return known

    def _step(self, step: Step, before: frozenset[str], place: tuple[Place, ...]) -> frozenset[str] | None:
        scope = Scope(before, self.every - before)
        self.placed += [Placed(expression, (*place, *at), scope) for expression, at in conditions(step)]
        taken = before | {step.name}
        ends = [self.take(inner, taken, (*place, *at)) for _, inner, at in ways(step)]
        match step.action:
            case End():
                return None
            case Approve():
                return taken
        going_on = [each for each in ends if each is not None]
        if step.wait_until is not None:
            going_on.append(taken)
        if ends and not going_on:
            return None
        return taken.union(*going_on)
