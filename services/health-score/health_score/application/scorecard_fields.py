"""Fields of a scorecard file that may be written in several ways: one or a list, a value or a condition, words as keys."""

from collections.abc import Container
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, WithJsonSchema

from health_score.domain.signals import Between, Other, Scalar
from health_score.domain.signals.selector import number, scalar

_SCALAR_SCHEMA: dict[str, Any] = {"type": ["string", "boolean", "number"]}
_MAYBE_SCHEMA: dict[str, Any] = {"type": ["string", "boolean", "number", "null"]}
_VALUES_SCHEMA: dict[str, Any] = {"anyOf": [_MAYBE_SCHEMA, {"type": "array", "items": _MAYBE_SCHEMA}]}
_CONDITION_SCHEMA: dict[str, Any] = {
    "anyOf": [
        *_VALUES_SCHEMA["anyOf"],
        {
            "type": "object",
            "properties": {"min": {"type": "number"}, "max": {"type": "number"}},
            "minProperties": 1,
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"not": _VALUES_SCHEMA},
            "required": ["not"],
            "additionalProperties": False,
        },
    ],
    "description": "A value, a list of values (null: absent), {min: 5}, {max: 10}, both, or {not: [a, b]}.",
}


def _listed(told: Any) -> list[Any]:
    return told if isinstance(told, list) else [told]


def _values(told: Any, *, absent: bool) -> tuple[Scalar | None, ...]:
    values = _listed(told)
    if not values:
        raise ValueError("the list is empty, so nothing would match: name a value, or leave the field out")
    for each in values:
        if scalar(each) is None and not (absent and each is None):
            raise ValueError(f"{each!r} is not a text, a number, true or false")
    return tuple(values)


def _condition(told: Any) -> Container[Any]:
    """What a field of `where` may be; ValueError with what can be written."""
    if not isinstance(told, dict):
        return _values(told, absent=True)
    if told.keys() == {"not"}:
        return Other(_values(told["not"], absent=True))
    if told and told.keys() <= {"min", "max"}:
        if any(number(each) is None or isinstance(each, bool) for each in told.values()):
            raise ValueError("min and max must be numbers")
        return Between(**{{"min": "least", "max": "most"}[name]: float(each) for name, each in told.items()})
    raise ValueError(
        f"there is no condition {set(told) or told}; write {{min: 5}}, {{max: 10}} or {{not: [a, b]}}"
    )


def _key(told: Any) -> Scalar:
    found = scalar(told)
    if found is None:
        raise ValueError(f"{told!r} is not a text, a number, true or false")
    return found


Condition = Annotated[Container[Any], PlainValidator(_condition), WithJsonSchema(_CONDITION_SCHEMA)]
"""A condition of `where`: a container of the values that meet it."""

Values = Annotated[
    tuple[Scalar, ...],
    PlainValidator(lambda told: _values(told, absent=False)),
    WithJsonSchema({"anyOf": [_SCALAR_SCHEMA, {"type": "array", "items": _SCALAR_SCHEMA, "minItems": 1}]}),
]
"""One value or several."""

Word = Annotated[Scalar, PlainValidator(_key), WithJsonSchema(_SCALAR_SCHEMA)]
"""A value as the key of a table."""

Types = Annotated[
    list[str],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One event type or several."""


class Part(BaseModel):
    """One piece of the file. Whatever the domain refuses of it is told with its place, as building it is part of validating."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
