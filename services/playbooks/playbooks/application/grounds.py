"""The values that conditions speak of: kept with each step, for when somebody asks why it went as it did."""

import re
from collections.abc import Mapping
from typing import Any

from playbooks.application.model import Known
from playbooks.domain.run import StepResult
from playbooks.domain.steps import Step, conditions

_TEXT = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_INDEX = re.compile(r"""\[\s*(["'])(\w+)\1\s*\]""")
_PATH = re.compile(r"(?<![\w.])[a-z_]\w*(?:\.\w+(?!\w*\())*")


def grounds_of(step: Step, result: StepResult, known: Known) -> dict[str, Any]:
    """What the conditions of a step spoke of, up to the one that held; empty where it has none."""
    asked = [expression for expression, _ in conditions(step)]
    if step.branch is not None:
        names = [each.name for each in step.branch.cases]
        asked = asked[: names.index(result.path) + 1] if result.path in names else asked
    return {path: value for each in asked for path, value in values_of(each, known).items()}


def values_of(condition: str, known: Known) -> dict[str, Any]:
    """Each member that the condition names with its value, in the order of the condition; None where there is none.
    What cannot be told by name (`account[key]`) is left out.

    >>> values_of("score < 50.0 && account.plan == 'pro'", known)
    {'score': 42.0, 'account.plan': 'pro'}
    """
    facts = _facts(known)
    paths = dict.fromkeys(_PATH.findall(_plain(condition)))
    found = {path: _value(facts, path.split(".")) for path in paths if path.split(".")[0] in facts}
    return {path: value for path, value in found.items() if not isinstance(value, Mapping)}


def _plain(condition: str) -> str:
    """With `x["y"]` as `x.y`, and without the texts, whose words are no members."""
    return _TEXT.sub('""', _INDEX.sub(r".\2", condition))


def _facts(known: Known) -> dict[str, Any]:
    snapshot, crossing = known.snapshot, known.crossing
    facts: dict[str, Any] = {
        "account": snapshot.attributes,
        "account_id": snapshot.account_id,
        "score": snapshot.score,
        "band": snapshot.band,
        "coverage": snapshot.coverage,
        "dimensions": snapshot.dimensions,
        "measures": snapshot.measures,
        "values": snapshot.values,
        "thresholds": snapshot.thresholds,
        "backfilling": snapshot.backfilling,
        "steps": {step: _step(result, known) for step, result in known.results.items()},
    }
    if crossing is not None:
        facts["crossing"] = {
            "threshold": crossing.threshold,
            "direction": crossing.direction,
            "before": crossing.before,
            "after": crossing.after,
        }
    return facts


def _step(result: StepResult, known: Known) -> dict[str, Any]:
    told: dict[str, Any] = {"outcome": result.outcome, "path": result.path}
    if result.step in known.tasks:
        status, outcome = known.tasks[result.step]
        told["task"] = {"status": status, "outcome": outcome}
    return told


def _value(facts: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(facts, Mapping) or name not in facts:
            return None
        facts = facts[name]
    return facts
