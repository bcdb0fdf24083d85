"""What a playbook means, as a reader can check by eye: the tree itself is walked, and each step is asked what became of it.

It knows no runs, no waking and no workers. `said` tells what the engine wrote of each step; the walk says what comes next, and
with it which steps may have been taken, in which order, and which effects they had.
"""

from collections.abc import Iterator, Mapping, Sequence

from playbooks.domain.run import StepResult
from playbooks.domain.steps import Approve, Branch, End, Split, Step, WaitUntil


class RunEndedError(Exception):
    """Nothing comes after this step."""


def expected(steps: Sequence[Step], said: Mapping[str, StepResult]) -> list[str]:
    """The steps that a run has taken after which `said` is known, and the one that it is at, in order; "" for the end."""
    taken: list[str] = []
    try:
        for name in _walk(steps, said):
            taken.append(name)
            if name not in said:
                return taken
    except RunEndedError:
        pass
    return [*taken, ""]


def _walk(steps: Sequence[Step], said: Mapping[str, StepResult]) -> Iterator[str]:
    for step in steps:
        yield step.name
        path = said[step.name].path
        match step.action:
            case End():
                raise RunEndedError
            case WaitUntil(otherwise=otherwise):
                if path == "timed_out":
                    yield from _walk(otherwise, said)
            case Branch(cases=cases, otherwise=otherwise):
                ways = {each.name: each.steps for each in cases} | {"otherwise": otherwise}
                yield from _walk(ways[path or ""], said)
            case Split(paths=paths):
                yield from _walk({each.name: each.steps for each in paths}[path or ""], said)
            case Approve(rejected=rejected, expired=expired):
                if path is not None:
                    yield from _walk(rejected if path == "rejected" else expired, said)
                    raise RunEndedError
