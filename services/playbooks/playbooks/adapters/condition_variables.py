"""What a condition is handed: only the variables it names, and of the large ones only the members it names."""

import re
from collections.abc import Callable
from typing import Any

from csm_common.contracts.health import Crossing
from playbooks.application.model import Known

Facts = Callable[[Known], dict[str, Any]]

_ACCOUNT: dict[str, Callable[[Known], Any]] = {
    "account": lambda known: known.snapshot.attributes,
    "account_id": lambda known: known.snapshot.account_id,
    "score": lambda known: known.snapshot.score,
    "band": lambda known: known.snapshot.band,
    "coverage": lambda known: known.snapshot.coverage,
    "dimensions": lambda known: known.snapshot.dimensions,
    "measures": lambda known: known.snapshot.measures,
    "values": lambda known: known.snapshot.values,
    "thresholds": lambda known: known.snapshot.thresholds,
    "backfilling": lambda known: known.snapshot.backfilling,
}
_RUN: dict[str, Callable[[Known], Any]] = {
    "crossing": lambda known: None if known.crossing is None else _crossing(known.crossing),
    "steps": lambda known: _steps(known),
}
ACCOUNT_VARIABLES = tuple(_ACCOUNT)
RUN_VARIABLES = tuple(_RUN)

_LEAST, _MOST, _HUGE = -(2**63), 2**63 - 1, 10**300
_LARGE = frozenset({"account", "dimensions", "measures", "values"})


def facts_for(expression: str) -> Facts:
    """What to hand to the expression. Handing over one attribute costs a fifth of handing over an account.

    A name that only stands in a text or belongs to something else is handed over too, which does no harm.
    """
    named = [(name, get) for name, get in (_ACCOUNT | _RUN).items() if _mentions(expression, name)]
    members = {name: _members(expression, name) for name, _ in named if name in _LARGE}

    def facts(known: Known) -> dict[str, Any]:
        found = {name: get(known) for name, get in named}
        for name, wanted in members.items():
            whole = found[name]
            chosen = whole if wanted is None else [each for each in wanted if each in whole]
            found[name] = {each: _sized(whole[each]) for each in chosen}
        return found

    return facts


def _sized(value: Any) -> Any:
    """Whole numbers beyond 64 bits, which the language does not have, as the nearest one that it has."""
    if type(value) is int and not _LEAST <= value <= _MOST:
        return float(value) if abs(value) < _HUGE else None
    return value


def _mentions(expression: str, name: str) -> int:
    return len(re.findall(rf"(?<![\w.]){name}\b", expression))


def _members(expression: str, name: str) -> frozenset[str] | None:
    """The members that the expression names; None where it may look at all of them."""
    found = re.findall(rf"(?<![\w.]){name}\.([A-Za-z_]\w*)\b(?!\s*\()", expression)
    return frozenset(found) if len(found) == _mentions(expression, name) else None


def _crossing(crossing: Crossing) -> dict[str, Any]:
    return {
        "threshold": crossing.threshold,
        "direction": crossing.direction,
        "before": crossing.before,
        "after": crossing.after,
    }


def _steps(known: Known) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, result in known.results.items():
        found[name] = {"outcome": result.outcome, "path": result.path}
        if name in known.tasks:
            status, outcome = known.tasks[name]
            found[name]["task"] = {"status": status, "outcome": outcome}
    return found
