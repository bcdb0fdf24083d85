"""Compiles the facts of a mapping: whether one applies to a row, and the data it then has."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from csm_common.mapping.columns import Columns
from csm_common.mapping.conditions import Getter, Holds, Row, compile_condition
from csm_common.mapping.contract import field_kind, required_fields
from csm_common.mapping.conversions import Times
from csm_common.mapping.language import Fact
from csm_common.mapping.values import compile_value


class CompiledFact(NamedTuple):
    """`data` makes the fact's data of a row, without what is missing; it raises RejectedRowError for a row at fault.

    Dates and times in it are Python's: `msgspec.to_builtins` makes texts of them where JSON is not written right away.
    `when` is None for a fact that always applies.
    """

    when: Holds | None
    type: str
    data: Getter


def compile_fact(fact: Fact, columns: Columns, times: Times) -> CompiledFact:
    """The fact for rows with these columns; what is neither converted nor of the contract is read as its contract says."""
    needed = required_fields(fact.type)
    getters = {
        name: compile_value(
            value, columns, kind=field_kind(fact.type, name), times=times, required=name in needed
        )
        for name, value in fact.data.items()
    }
    when = compile_condition(fact.when, columns) if fact.when else None
    return CompiledFact(when, fact.type, _object(getters))


def first_applying(facts: Sequence[CompiledFact], row: Row) -> CompiledFact | None:
    """The first whose condition holds for the row."""
    return next((each for each in facts if each.when is None or each.when(row)), None)


def _object(getters: Mapping[str, Getter]) -> Getter:
    """Builds an object without its missing members; `attributes.industry` becomes a member of a member."""
    plain = [(name, get) for name, get in getters.items() if "." not in name]
    groups: dict[str, dict[str, Getter]] = {}
    for name, get in getters.items():
        if "." in name:
            outer, inner = name.split(".", 1)
            groups.setdefault(outer, {})[inner] = get
    plain += [(name, _object(inner)) for name, inner in groups.items()]
    return lambda row: {name: found for name, get in plain if (found := get(row)) is not None}
