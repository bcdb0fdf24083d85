"""Until the compiler of conditions is in: definitions made ready, and their hashes."""

from hashlib import sha256
from typing import Any

import cel
from pydantic import TypeAdapter

from playbooks.application.model import Condition, Known, Playbook
from playbooks.domain.definition import Definition
from playbooks.domain.entry import Verdict
from playbooks.domain.program import lay_out

_definition = TypeAdapter(Definition)


def ready(version: int, definition: Definition) -> Playbook:
    """The version with its conditions compiled."""
    conditions = {text: _compile(text) for text, _ in definition.conditions()}
    return Playbook(
        version=version, definition=definition, program=lay_out(definition), conditions=conditions
    )


def content_hash(definition: Definition) -> str:
    """What tells whether two definitions are the same."""
    return sha256(_definition.dump_json(definition, exclude_defaults=True)).hexdigest()


def _compile(text: str) -> Condition:
    program = cel.compile(text)

    def condition(known: Known) -> Verdict:
        try:
            return Verdict(admitted=bool(program.execute(_facts(known))))
        except Exception as error:
            return Verdict(admitted=False, problem=str(error).splitlines()[0])

    return condition


def _facts(known: Known) -> dict[str, Any]:
    snapshot, crossing = known.snapshot, known.crossing
    return {
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
        "crossing": None
        if crossing is None
        else {
            "threshold": crossing.threshold,
            "direction": crossing.direction,
            "before": crossing.before,
            "after": crossing.after,
        },
        "steps": {name: {"outcome": each.outcome, "path": each.path} for name, each in known.results.items()},
    }
