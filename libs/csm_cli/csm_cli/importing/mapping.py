"""The mapping file: which files hold what, and how a row becomes a fact. Read from YAML and checked before anything moves."""

from importlib.resources import files as package_files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator

from csm_common.errors import InvalidError
from csm_common.mapping.language import (
    Fact,
    MappingModel,
    Names,
    Skip,
    TimeSpec,
    ValueSpec,
    Zone,
)
from csm_common.mapping.mistakes import mistakes

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Section(MappingModel):
    """One reading of the files whose names match: each row becomes at most one fact, the first whose `when` holds."""

    name: Name
    files: Names
    format: Literal["csv", "jsonl"]
    delimiter: str = Field(",", min_length=1, max_length=1)
    nulls: list[str] = Field([""])
    skip: list[Skip] = Field([])
    subject: ValueSpec
    time: TimeSpec
    id: Names | None = None
    facts: list[Fact] = Field(min_length=1)


class Mapping(MappingModel):
    """A whole mapping file. `timezone` applies to times without an offset."""

    name: Name
    about: str = ""
    timezone: Zone = "UTC"
    sections: list[Section] = Field(min_length=1)

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
        raise InvalidError(
            f"The mapping {origin} has mistakes:\n{mistakes(error)}", code="mapping_invalid"
        ) from error


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
