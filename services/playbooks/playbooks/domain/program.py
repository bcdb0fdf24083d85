"""A playbook's tree of steps laid out flat: for each step by name what comes after it and where its ways begin."""

from collections.abc import Iterator, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class PlainWait:
    """A wait at whose end there is nothing to ask: the run is at the step `after` then, whatever has become of its account."""

    playbook: str
    version: int
    step: str
    after: str


def plain_waits(program: Program, version: int) -> Iterator[PlainWait]:
    """The plain waits of a version: none where an exit is a condition or late runs end, and none that is a last step."""
    definition = program.definition
    if definition.late.then == "exit" or (definition.exit_when and definition.exit_when.condition):
        return
    for name, node in program.nodes.items():
        if node.step.kind == "wait" and node.after is not None:
            yield PlainWait(definition.name, version, name, node.after)


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
