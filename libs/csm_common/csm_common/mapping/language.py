"""What may be written in a mapping: values, conditions and facts, checked when they are read."""

from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from csm_common.mapping.conditions import check_test
from csm_common.mapping.contract import required_fields

Kind = Literal["text", "lower", "number", "int", "bool", "date", "time", "moment", "keep"]


def _scalar(value: object) -> object:
    if not isinstance(value, bool | int | float | str):
        raise ValueError("must be a text, a number, true or false")
    return value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_value(value: object) -> object:
    return {"column": value} if isinstance(value, str | list) else value


Scalar = Annotated[Any, AfterValidator(_scalar)]
Names = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]
Condition = dict[str, Annotated[Any, AfterValidator(check_test)]]


class MappingModel(BaseModel):
    """Base of everything that is written in a mapping: unknown keys are mistakes, nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(MappingModel):
    """Where a value is taken from (`column`: the first that is not missing; `join`; `const`), and what is made of it:
    converted `as` a kind, multiplied by `times`, looked up in `map`, held against `min` and `max`. `except` leaves members
    of an object out."""

    column: Names | None = None
    join: Names | None = None
    const: Scalar | None = None
    separator: str = "/"
    without: Names | None = Field(None, alias="except")
    kind: Kind | None = Field(None, alias="as")
    formats: Names | None = None
    times: float | None = Field(None, allow_inf_nan=False)
    map: dict[str, Scalar] | None = None
    min: float | None = None
    max: float | None = None
    required: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(each is not None for each in (self.column, self.join, self.const)) != 1:
            raise ValueError("give exactly one of column, join, const")
        return self

    @model_validator(mode="after")
    def _arithmetic_of_numbers(self) -> Self:
        allowed = (None, "number") if self.times is not None else (None, "number", "int")
        if self.arithmetic and (self.map or self.const is not None or self.kind not in allowed):
            raise ValueError(
                "min, max and times are for numbers: `as` number (or int, without times), without map and const"
            )
        return self

    @model_validator(mode="after")
    def _rest_of_an_object(self) -> Self:
        if self.without and (
            not self.column or self.map or self.arithmetic or self.kind not in (None, "keep")
        ):
            raise ValueError("except takes members out of the object in a column, which stays as it is")
        return self

    @property
    def arithmetic(self) -> bool:
        """Whether it is a number for sure."""
        return any(each is not None for each in (self.times, self.min, self.max))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return tuple(self.column or self.join or ())


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"there is no timezone {name!r}") from error
    return name


def _is_a_time(value: Value) -> Value:
    if value.kind not in (None, "time"):
        raise ValueError("the time of a fact is always read as a time; leave out `as`")
    return value


ValueSpec = Annotated[Value, BeforeValidator(_as_value)]
TimeSpec = Annotated[Value, BeforeValidator(_as_value), AfterValidator(_is_a_time)]
Zone = Annotated[str, AfterValidator(_known_zone)]


class Skip(MappingModel):
    """What to leave out on purpose, with the reason for whoever wonders: rows of a file, messages that tell nothing."""

    when: Condition = Field(min_length=1)
    reason: str = Field(min_length=1)


class Fact(MappingModel):
    """What a row becomes when `when` holds. Keys of `data` may be dotted: `attributes.industry`."""

    type: str = Field(min_length=1)
    when: Condition = {}
    data: dict[str, ValueSpec] = {}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = sorted(required_fields(self.type) - set(self.data))
        if missing:
            raise ValueError(f"{self.type} needs the data field {' and '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _once(self) -> Self:
        for name in self.data:
            outer = name.rpartition(".")[0]
            if outer in self.data:
                raise ValueError(f"{outer} and {name} cannot both be given: one is inside the other")
        return self
