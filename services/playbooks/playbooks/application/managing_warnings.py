"""What is allowed in a playbook but looks wrong: it can be saved, and whoever wrote it is told."""

import re
from collections.abc import Collection, Iterator

from playbooks.application.managing_ports import Written
from playbooks.application.mistakes import Mistake
from playbooks.domain.definition import Definition
from playbooks.domain.rules import Place
from playbooks.domain.scopes import placed_conditions, unreachable_steps

_IN_THRESHOLDS = re.compile(r"""['"]([a-z][a-z0-9_]*)['"]\s+in\s+thresholds\b""")

Placed = tuple[str, tuple[Place, ...]]


def thresholds_named(definition: Definition) -> list[Placed]:
    """Every threshold that the playbook speaks of, with its place."""
    found: list[Placed] = [(definition.trigger.threshold, ("trigger", "threshold"))]
    if definition.exit_when is not None:
        for member in ("left", "entered"):
            names = getattr(definition.exit_when, member)
            found += [(name, ("exit_when", member, index)) for index, name in enumerate(names)]
    for each in placed_conditions(definition):
        found += [(name, each.place) for name in _IN_THRESHOLDS.findall(each.expression)]
    return found


def warnings(written: Written, endpoints: Collection[str], never_told: Collection[str]) -> list[Mistake]:
    """In the order of the document; `endpoints` are those of the settings, `never_told` thresholds without any crossing."""
    definition = written.definition
    found = [
        *_unknown_endpoints(definition, endpoints),
        *_never_told(definition, never_told),
        *_unreachable(definition),
    ]
    placed = [Mistake(*written.position(place), ".".join(map(str, place)), told) for told, place in found]
    return sorted(placed, key=lambda each: (each.line, each.column))


def _unknown_endpoints(definition: Definition, endpoints: Collection[str]) -> Iterator[Placed]:
    there = ", ".join(sorted(endpoints)) or "none"
    for step, place in definition.all_steps():
        if step.webhook is not None and step.webhook.endpoint not in endpoints:
            told = f"the settings know no endpoint {step.webhook.endpoint}, so the step will fail; there are {there}"
            yield told, (*place, "webhook", "endpoint")


def _never_told(definition: Definition, never_told: Collection[str]) -> Iterator[Placed]:
    for name, place in thresholds_named(definition):
        if name in never_told:
            yield f"no account has ever crossed a threshold {name}: is it in a scorecard?", place


def _unreachable(definition: Definition) -> Iterator[Placed]:
    for name, place in unreachable_steps(definition):
        yield f"no run ever comes to step {name}: the one before it ends the run", place
