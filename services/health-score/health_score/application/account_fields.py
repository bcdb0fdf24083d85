"""Which fields of an account are asked for: top-level names of its snapshot, or one name inside (`attributes.owner`)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from csm_common.contracts.health import AccountSnapshot, Override, Scorecard
from csm_common.errors import InvalidError
from health_score.domain.compiled import CompiledCard

ID = "account_id"
CHANGE = "change"
TOP = (*(each.name for each in fields(AccountSnapshot)), CHANGE)
_INSIDE = {
    "scorecard": frozenset(each.name for each in fields(Scorecard)),
    "override": frozenset(each.name for each in fields(Override)),
}
_MEASURED = ("measures", "values")


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its name, and the name inside it if only that is asked for."""

    name: str
    inside: str | None = None

    @property
    def title(self) -> str:
        """As it was asked for."""
        return self.name if self.inside is None else f"{self.name}.{self.inside}"

    def of(self, account: Mapping[str, Any]) -> Any:
        """Its value; None where the account has none."""
        found = account.get(self.name)
        if self.inside is None:
            return found
        return found.get(self.inside) if isinstance(found, dict) else None


def read_fields(told: str | None, cards: Collection[CompiledCard]) -> tuple[Field, ...]:
    """The fields of a comma-separated list, the account's id always first; none where nothing was told.

    InvalidError names what there is: measures and dimensions are those of the scorecards in force, attributes may be any.
    """
    if told is None:
        return ()
    found = [_field(each.strip(), cards) for each in told.split(",") if each.strip()]
    if not found:
        raise InvalidError(f"fields is empty; there are {', '.join(TOP)}.")
    return tuple(dict.fromkeys([Field(ID), *found]))


def selected(account: Mapping[str, Any], chosen: Sequence[Field]) -> dict[str, Any]:
    """The account with these fields alone, in their order; what lies inside another stays there."""
    whole = {each.name for each in chosen if each.inside is None}
    found: dict[str, Any] = {}
    for field in chosen:
        if field.name in whole:
            found[field.name] = account.get(field.name)
        else:
            found.setdefault(field.name, {})[field.inside] = field.of(account)
    return found


def _field(told: str, cards: Collection[CompiledCard]) -> Field:
    name, dot, inside = told.partition(".")
    if name not in TOP:
        raise InvalidError(
            f"There is no field {told[:80]!r}; there are {', '.join(TOP)}, and names inside them."
        )
    if not dot:
        return Field(name)
    known = _names(name, cards)
    if known is not None and inside not in known:
        there = f"there are {', '.join(sorted(known))}" if known else "it has no names inside"
        raise InvalidError(f"There is no field {told[:80]!r}: in {name} {there}.")
    return Field(name, inside)


def _names(name: str, cards: Collection[CompiledCard]) -> frozenset[str] | None:
    """The names inside a field; None where there may be any."""
    dimensions = [each for card in cards for each in card.card.dimensions]
    if name == "dimensions":
        return frozenset(each.name for each in dimensions)
    if name in _MEASURED:
        return frozenset(measure.name for each in dimensions for measure in each.measures)
    return None if name == "attributes" else _INSIDE.get(name, frozenset())
