"""What the facts' contracts say to a mapping: which data fields a fact needs and what kind of value each one takes."""

from dataclasses import MISSING, Field, fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from csm_common.contracts.facts import FACTS, Moment


def required_fields(fact_type: str) -> frozenset[str]:
    """Names of the data fields without which a fact of that type is rejected; none for custom facts."""
    return frozenset(each.name for each in _fields(fact_type) if _is_required(each))


def field_kind(fact_type: str, name: str) -> str:
    """How a value for that data field is read where the mapping does not tell; `keep` for fields beyond the contract.

    >>> field_kind("csm.usage.recorded", "quantity"), field_kind("csm.usage.recorded", "cost")
    ('number', 'keep')
    """
    for each in _fields(fact_type):
        if each.name == name:
            return _kind(each.type)
    return "keep"


def _fields(fact_type: str) -> tuple[Field[Any], ...]:
    shape = FACTS.get(fact_type)
    return fields(shape) if shape else ()


def _is_required(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _kind(annotation: Any) -> str:
    union = get_origin(annotation) in (Union, UnionType)
    accepted = set(get_args(annotation)) if union else {annotation}
    for python_type, kind in (
        (Moment, "moment"),
        (bool, "bool"),
        (float, "number"),
        (int, "int"),
        (str, "text"),
    ):
        if python_type in accepted:
            return kind
    literal = any(get_origin(each) is Literal for each in accepted)
    return "text" if literal else "keep"
