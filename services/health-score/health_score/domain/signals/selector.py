"""Which facts a signal reads, and which number of them; the fence behind which data can be trusted."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from health_score.domain.attributes import CUSTOM, STANDARD
from health_score.domain.fact import Fact

Scalar = str | bool | int | float
LARGEST = (
    1e15  # beyond it a float no longer counts in thousandths; nobody's usage, money or score is that large
)
SMALLEST = 1e-15
"""What is nearer to 0 is 0: dividing by it would leave the range of a float."""


def number(value: Any) -> float | None:
    """A believable number, true and false as 1 and 0; None for anything else."""
    if isinstance(value, (int, float)) and -LARGEST <= value <= LARGEST:
        return float(value) if abs(value) >= SMALLEST else 0.0
    return None


def scalar(value: Any) -> Scalar | None:
    """A text, truth value or believable number as it is; None for anything else."""
    return value if isinstance(value, (str, bool)) or number(value) is not None else None


def told(data: Mapping[str, Any], name: str) -> Any:
    """A field of a fact, or the custom attribute of that name, which never stands in for a standard field; None if absent."""
    found = data.get(name)
    if found is None and CUSTOM in data and name not in STANDARD:
        custom = data[CUSTOM]
        return custom.get(name) if isinstance(custom, dict) else None
    return found


@dataclass(frozen=True, slots=True)
class Between:
    """The numbers least ≤ number ≤ most."""

    least: float = -inf
    most: float = inf

    def __post_init__(self) -> None:
        if not self.least <= self.most:
            raise ValueError("min must be at most max")

    def __contains__(self, value: Any) -> bool:
        found = None if isinstance(value, bool) else number(value)
        return found is not None and self.least <= found <= self.most


@dataclass(frozen=True, slots=True)
class Other:
    """Anything but these values, absence (None) included unless it is one of them."""

    values: tuple[Scalar | None, ...]

    def __contains__(self, value: Any) -> bool:
        return value not in self.values


@dataclass(frozen=True, slots=True)
class Selector:
    """Facts of `types` whose fields have one of the values named in `where` (None stands for absent).

    The number is the field `value` (`default` where it is absent), put through `table` if there is one; without `value`, 1.
    """

    types: tuple[str, ...]
    where: Mapping[str, Container[Any]] = field(default_factory=dict)
    value: str | None = None
    default: float | None = None
    table: Mapping[Scalar, float] | None = None

    def __post_init__(self) -> None:
        if not self.types or not all(self.types):
            raise ValueError("type must name at least one event type")
        if self.value is None and (self.default is not None or self.table is not None):
            raise ValueError("default and table speak of a field: name it with value")
        if any(number(each) is None for each in (self.table or {}).values()):
            raise ValueError("table must give a number for each of its entries")
        if self.default is not None and number(self.default) is None:
            raise ValueError("default must be a number")

    def matches(self, data: Mapping[str, Any]) -> bool:
        """Whether all conditions of `where` hold."""
        if not self.where:
            return True
        return all(told(data, name) in allowed for name, allowed in self.where.items())

    def read(self, fact: Fact) -> float | None:
        """The number of a matching fact; None if it has none."""
        if self.value is None:
            return 1.0
        found = told(fact.data, self.value)
        if found is None:
            return self.default
        if self.table is None:
            return number(found)
        entry = scalar(found)
        return None if entry is None else self.table.get(entry)
