"""The mapping file: which files hold what, and how a row becomes a fact. Read from YAML and checked before anything moves."""

from importlib.resources import files as package_files
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from csm_cli.importing.conditions import check_test
from csm_cli.importing.contract import required_fields
from csm_common.errors import InvalidError

Kind = Literal["text", "lower", "number", "int", "bool", "date", "time", "moment", "keep"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


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


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Model):
    """Where a value is taken from (`column`: the first that is not missing; `join`; `const`), and what is made of it:
    converted `as` a kind, looked up in `map`, held against `min` and `max`."""

    column: Names | None = None
    join: Names | None = None
    const: Scalar | None = None
    separator: str = "/"
    kind: Kind | None = Field(None, alias="as")
    formats: Names | None = None
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
    def _bounds_of_numbers(self) -> Self:
        bounded = self.min is not None or self.max is not None
        if bounded and (self.map or self.const is not None or self.kind not in (None, "number", "int")):
            raise ValueError("min and max are for numbers: `as` number or int, without map and const")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return tuple(self.column or self.join or ())


ValueSpec = Annotated[Value, BeforeValidator(_as_value)]


Condition = dict[str, Annotated[Any, AfterValidator(check_test)]]


class Skip(_Model):
    """Rows to leave out on purpose, with the reason that the summary shows."""

    when: Condition = Field(min_length=1)
    reason: str = Field(min_length=1)


class Fact(_Model):
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


class Section(_Model):
    """One reading of the files whose names match: each row becomes at most one fact, the first whose `when` holds."""

    name: Name
    files: Names
    format: Literal["csv", "jsonl"]
    delimiter: str = Field(",", min_length=1, max_length=1)
    nulls: list[str] = [""]
    skip: list[Skip] = []
    subject: ValueSpec
    time: ValueSpec
    id: Names | None = None
    facts: list[Fact] = Field(min_length=1)

    @field_validator("time")
    @classmethod
    def _time_is_a_time(cls, value: Value) -> Value:
        if value.kind not in (None, "time"):
            raise ValueError("the time of a fact is always read as a time; leave out `as`")
        return value


class Mapping(_Model):
    """A whole mapping file. `timezone` applies to times without an offset."""

    name: Name
    about: str = ""
    timezone: str = "UTC"
    sections: list[Section] = Field(min_length=1)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no timezone {name!r}") from error
        return name

    @field_validator("sections")
    @classmethod
    def _distinct(cls, sections: list[Section]) -> list[Section]:
        names = [each.name for each in sections]
        doubled = sorted({each for each in names if names.count(each) > 1})
        if doubled:
            raise ValueError(f"two sections are named {', '.join(doubled)}")
        return sections

    @property
    def source(self) -> str:
        """The CloudEvents source of everything imported by it."""
        return f"/import/{self.name}"


def shipped() -> list[str]:
    """The names of the mappings that come with the command."""
    return sorted(each.name.removesuffix(".yaml") for each in _shipped_files())


def load(name_or_file: str) -> Mapping:
    """The mapping of that name, or in that file; InvalidError tells every mistake with its place."""
    return parse(_text(name_or_file), origin=name_or_file)


def parse(text: str, *, origin: str) -> Mapping:
    """The mapping in a YAML text; `origin` is named in errors."""
    try:
        return Mapping.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise InvalidError(f"The mapping {origin} is not YAML: {error}", code="mapping_invalid") from error
    except ValidationError as error:
        mistakes = "\n".join(f"  {_place(each['loc'])}: {_sentence(each)}" for each in error.errors())
        raise InvalidError(
            f"The mapping {origin} has mistakes:\n{mistakes}", code="mapping_invalid"
        ) from error


def _place(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in location)
    return text.removeprefix(".") or "the file"


def _sentence(error: Any) -> str:
    known = {"extra_forbidden": "there is no such key", "missing": "is missing"}
    return known.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")


def _shipped_files() -> list[Any]:
    return [each for each in (package_files("csm_cli") / "mappings").iterdir() if each.name.endswith(".yaml")]


def _text(name_or_file: str) -> str:
    for each in _shipped_files():
        if each.name == f"{name_or_file}.yaml":
            return str(each.read_text(encoding="utf-8"))
    try:
        return Path(name_or_file).read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidError(
            f"There is no mapping {name_or_file!r}: neither a file of that path nor one of {', '.join(shipped())}.",
            code="mapping_unknown",
        ) from error
