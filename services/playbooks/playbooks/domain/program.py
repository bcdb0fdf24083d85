"""A playbook's tree of steps laid out flat: for each step by name what comes after it and where its ways begin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playbooks.domain.definition import Definition
from playbooks.domain.steps import Approve, Step, ways


@dataclass(frozen=True, slots=True)
class Node:
    """A step, the name of the one after it, and for each of its ways the step that it begins with; None is the end of the run.

    An empty way begins with the step after; the ways of an approval lead to the end.
    """

    step: Step
    after: str | None
    ways: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Program:
    """What a run of one version follows."""

    definition: Definition
    nodes: Mapping[str, Node]

    @property
    def first(self) -> str:
        """The step a run begins with."""
        return self.definition.steps[0].name


def lay_out(definition: Definition) -> Program:
    """The program of a definition."""
    nodes: dict[str, Node] = {}
    _lay(definition.steps, None, nodes)
    return Program(definition, nodes)


def _lay(steps: Sequence[Step], beyond: str | None, nodes: dict[str, Node]) -> None:
    for index, step in enumerate(steps):
        after = steps[index + 1].name if index + 1 < len(steps) else beyond
        joins = None if isinstance(step.action, Approve) else after
        begins = {}
        for way, inner, _ in ways(step):
            begins[way] = inner[0].name if inner else joins
            _lay(inner, joins, nodes)
        nodes[step.name] = Node(step, after, begins)
