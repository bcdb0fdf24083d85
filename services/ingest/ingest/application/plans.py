"""Tracking plans: which events a source is expected to send, with which properties, and what becomes of those it is not.

    plans:
      - source: sdk/web
        mode: park               # log: count and take · park: keep aside, tell the sender it is done · reject: refuse
        unplanned: refuse        # events that the plan does not name: allow (the default) or refuse, by the mode
        events:
          Report Exported:
            type: object
            required: [format]
            properties: {format: {enum: [pdf, csv]}, rows: {type: integer, minimum: 0}}

An event's name is what the producer calls it: the `event` of a track call, the `type` of a CloudEvent, `identify`, `group`,
`page …`. The schema is a JSON Schema of its properties, traits or data.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import jsonschema_rs
from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest.domain.decision import Rejected

PLAN_VIOLATION = "plan_violation"

_SHOWN = 5
_MASK = "the value"  # what a property holds may be personal, and what is counted here is served


class Plan(BaseModel):
    """The plan of one source, or of all whose names match a pattern such as `sdk/*`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(min_length=1)
    mode: Literal["log", "park", "reject"] = "log"
    unplanned: Literal["allow", "refuse"] = "allow"
    events: dict[str, dict[str, Any]] = Field(min_length=1)

    @field_validator("events")
    @classmethod
    def _schemas(cls, events: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, schema in events.items():
            try:
                _validator(schema)
            except jsonschema_rs.ValidationError as error:
                place = ".".join(map(str, [name, *error.instance_path]))
                raise ValueError(f"{place}: not a JSON Schema: {error.message}") from error
            except ValueError as error:  # YAML has values that JSON has not
                raise ValueError(f"{name}: not a JSON Schema: {error}") from error
        return events


class Breach(NamedTuple):
    """One rule that an event broke: where in its properties, which keyword of the schema, in words."""

    path: str
    rule: str
    sentence: str


class Checked(NamedTuple):
    """The mode of the plan and what was broken."""

    mode: str
    breaches: Sequence[Breach]

    def refusal(self, name: str) -> Rejected | None:
        """The decision against the event; None where the plan only counts."""
        if self.mode == "log":
            return None
        told = "; ".join(each.sentence for each in self.breaches[:_SHOWN])
        sentence = f"{name!r} is not as the tracking plan has it: {told}. Mend the event or the plan."
        return Rejected(PLAN_VIOLATION, sentence, parked=self.mode == "park")


class Plans:
    """All plans. The first whose pattern fits a source holds for it."""

    def __init__(self, plans: Sequence[Plan] = ()) -> None:
        self._plans = [
            (plan, {name: _validator(schema) for name, schema in plan.events.items()}) for plan in plans
        ]
        self._of = lru_cache(maxsize=4096)(self._find)

    def check(self, source: str, name: str, properties: Mapping[str, Any]) -> Checked | None:
        """What the event breaks; None where it breaks nothing or has no plan."""
        found = self._of(source) if self._plans else None
        if found is None:
            return None
        plan, validators = found
        validator = validators.get(name)
        if validator is None:
            if plan.unplanned == "allow":
                return None
            return Checked(plan.mode, [Breach("", "unplanned", f"there is no event {name!r} in the plan")])
        if validator.is_valid(properties):
            return None
        return Checked(plan.mode, [_breach(error) for error in validator.iter_errors(properties)])

    def _find(self, source: str) -> tuple[Plan, dict[str, Any]] | None:
        return next((each for each in self._plans if fnmatchcase(source, each[0].source)), None)


def _validator(schema: dict[str, Any]) -> Any:
    return jsonschema_rs.validator_for(schema, mask=_MASK, offline=True)


def _breach(error: Any) -> Breach:
    path = ".".join(map(str, error.instance_path))
    rule = str(error.schema_path[-1]) if error.schema_path else "schema"
    return Breach(path, rule, f"{path}: {error.message}" if path else error.message)
