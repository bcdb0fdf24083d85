"""Definitions in and out: from YAML with the place of every mistake, from and to the canonical JSON that is stored and hashed."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from csm_common.errors import FatalError, InvalidError
from playbooks.adapters.audience import compile_audience
from playbooks.adapters.yaml_document import BrokenDocumentError, Place, YamlDocument
from playbooks.domain.definition import Definition
from playbooks.domain.rules import DefinitionError

_definition = TypeAdapter(Definition)


def parse_definition(text: str, source: str) -> Definition:
    """The definition a YAML text describes. InvalidError names every mistake as `source:line:column: member: what is wrong`."""
    try:
        document = YamlDocument(text)
    except BrokenDocumentError as broken:
        raise InvalidError(f"{source}:{broken.line}:{broken.column}: {broken}") from broken
    mistakes: list[tuple[Place, str]] = []
    try:
        definition = _definition.validate_python(document.value)
        compile_audience(definition.audience)
    except ValidationError as refused:
        mistakes += [_mistake(each) for each in refused.errors(include_url=False)]
    except DefinitionError as refused:
        mistakes.append((refused.place, str(refused)))
    if mistakes:
        raise InvalidError("\n".join(_told(document, source, mistakes)))
    return definition


def _mistake(error: ErrorDetails) -> tuple[Place, str]:
    place: Place = error["loc"]
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, DefinitionError):
        return (*place, *cause.place), str(cause)
    if error["type"] == "unexpected_keyword_argument":
        return place, "there is no such member"
    return place, error["msg"]


def _told(document: YamlDocument, source: str, mistakes: list[tuple[Place, str]]) -> Iterator[str]:
    for place, sentence in mistakes:
        line, column = document.position(place)
        member = ".".join(map(str, place)) or "playbook"
        yield f"{source}:{line}:{column}: {member}: {sentence}"


def load_directory(directory: Path) -> list[Definition]:
    """All playbooks of a directory, each in NAME.yaml. FatalError where one is wrong, or there is none."""
    files = sorted(directory.glob("*.yaml"))
    if not files:
        raise FatalError(f"There is no playbook in {directory}: put NAME.yaml files there.")
    return [_load_file(file) for file in files]


def _load_file(file: Path) -> Definition:
    try:
        definition = parse_definition(file.read_text(encoding="utf-8"), file.name)
    except InvalidError as mistakes:
        raise FatalError(f"A playbook cannot be used. {mistakes.message}") from mistakes
    if definition.name != file.stem:
        raise FatalError(
            f"{file.name} holds the playbook {definition.name}: name the file {definition.name}.yaml."
        )
    return definition


def encode_definition(definition: Definition) -> bytes:
    """Canonical JSON: members at their defaults are left out, so that a member added later changes no hash."""
    return _definition.dump_json(definition, exclude_defaults=True)


def decode_definition(data: str | bytes) -> Definition:
    """The definition again."""
    return _definition.validate_json(data)


def content_hash(encoded: bytes) -> str:
    """What tells whether two definitions are the same."""
    return sha256(encoded).hexdigest()
