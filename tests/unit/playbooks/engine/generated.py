"""Trees of steps of all kinds, nested, for hypothesis: small ones, since what goes wrong goes wrong where ways meet."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from hypothesis import strategies as st
from tests.unit.playbooks.engine import examples

from playbooks.domain.steps import Step

Plan = tuple[str, tuple[Sequence[Any], ...]]
"""A kind, and the plans on each of its ways."""

_LEAVES: dict[str, Callable[[str], Step]] = {
    "notify": examples.notify,
    "task": examples.task,
    "webhook": examples.webhook,
    "wait": examples.wait,
    "until": lambda name: examples.until(name, time="17:00", days="working"),
    "sell": lambda name: examples.notify(name, sales=True),
    "sell_by_call": lambda name: examples.webhook(name, sales=True),
    "end": examples.end,
}
_WAYS = {"wait_until": 1, "approve": 2, "branch": 3, "split": 2}


def _nested(inner: st.SearchStrategy[Plan]) -> st.SearchStrategy[Plan]:
    way = st.lists(inner, max_size=2)
    return st.sampled_from(sorted(_WAYS)).flatmap(
        lambda kind: st.tuples(st.just(kind), st.tuples(*[way] * _WAYS[kind]))
    )


_leaf = st.sampled_from(sorted(_LEAVES)).map(lambda kind: (kind, ()))
PLANS = st.lists(st.recursive(_leaf, _nested, max_leaves=6), min_size=1, max_size=4)


def grown(plans: Sequence[Plan]) -> tuple[Step, ...]:
    """The steps of plans, each with a name of its own."""
    return _grow(plans, count())


def _grow(plans: Sequence[Plan], numbers: "count[int]") -> tuple[Step, ...]:
    return tuple(_step(kind, ways, f"{kind}_{next(numbers)}", numbers) for kind, ways in plans)


def _step(kind: str, ways: Sequence[Sequence[Plan]], name: str, numbers: "count[int]") -> Step:
    if kind in _LEAVES:
        return _LEAVES[kind](name)
    steps = [_grow(each, numbers) for each in ways]
    match kind:
        case "wait_until":
            return examples.wait_until(name, "good", "3d", steps[0])
        case "approve":
            return examples.approve(name, steps[0], steps[1])
        case "branch":
            return examples.branch(name, steps[0], big=steps[1], small=steps[2])
    return examples.split(name, one=steps[0], two=steps[1])


STEPS = PLANS.map(grown)
"""The steps of a playbook."""
