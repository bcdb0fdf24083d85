"""Definitions in and out: from YAML with the place of every mistake, from and to the canonical JSON that is stored and hashed."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from csm_common.errors import FatalError
from csm_common.yaml_document import BrokenDocumentError, YamlDocument
from playbooks.adapters.conditions import condition_mistakes, stored_condition
from playbooks.adapters.definition_mistakes import Refused, refused
from playbooks.application.mistakes import Mistake, MistakenError
from playbooks.application.model import Playbook
from playbooks.domain.definition import Definition
from playbooks.domain.program import lay_out
from playbooks.domain.rules import Place
from playbooks.domain.scopes import placed_conditions

Position = Callable[[Sequence[Place]], tuple[int, int]]

_definition = TypeAdapter(Definition)


def parse_definition(text: str, source: str, *, is_json: bool = False) -> Definition:
    """The definition a text describes. MistakenError has every mistake, as `source:line:column: member: what is wrong`."""
    return read_definition(text, source, is_json=is_json)[0]


def read_definition(text: str, source: str, *, is_json: bool = False) -> tuple[Definition, Position]:
    """The same, with what tells where a member stands."""
    try:
        document = YamlDocument(text, is_json=is_json)
    except BrokenDocumentError as broken:
        mistake = Mistake(broken.line, broken.column, "playbook", str(broken))
        raise MistakenError([mistake], source) from broken
    try:
        definition = _definition.validate_python(document.value)
    except ValidationError as error:
        found = [_placed(document, each) for each in refused(error, document.value)]
        raise MistakenError(sorted(found, key=_by_place), source) from error
    if wrong := sorted(_wrong_conditions(document, definition), key=_by_place):
        raise MistakenError(wrong, source)
    return definition, document.position


def _placed(document: YamlDocument, wrong: Refused) -> Mistake:
    position = document.key_position(wrong.place) if wrong.of_name else document.position(wrong.place)
    return Mistake(*position, _path(wrong.place), wrong.sentence)


def _wrong_conditions(document: YamlDocument, definition: Definition) -> Iterator[Mistake]:
    for each in placed_conditions(definition):
        for wrong in condition_mistakes(each.expression, each.scope):
            line, column = document.position(each.place, wrong.character)
            told = f"{wrong.sentence}, at character {wrong.character} of it"
            yield Mistake(line, column, _path(each.place), told)


def _path(place: tuple[str | int, ...]) -> str:
    return ".".join(map(str, place)) or "playbook"


def _by_place(mistake: Mistake) -> tuple[int, int]:
    return mistake.line, mistake.column


def load_directory(directory: Path) -> list[Definition]:
    """All playbooks of a directory, each in NAME.yaml. FatalError where one is wrong, or there is none."""
    files = sorted(directory.glob("*.yaml"))
    if not files:
        raise FatalError(f"There is no playbook in {directory}: put NAME.yaml files there.")
    return [_load_file(file) for file in files]


def _load_file(file: Path) -> Definition:
    try:
        definition = parse_definition(file.read_text(encoding="utf-8"), file.name)
    except MistakenError as mistaken:
        raise FatalError(f"A playbook cannot be used. {mistaken.message}") from mistaken
    except (OSError, UnicodeDecodeError) as broken:
        raise FatalError(f"The playbook {file} cannot be read: {broken}.") from broken
    if definition.name != file.stem:
        raise FatalError(
            f"{file.name} holds the playbook {definition.name}: name the file {definition.name}.yaml."
        )
    return definition


def playbook_of(version: int, definition: Definition) -> Playbook:
    """The version ready for use. Its conditions were checked when it was saved, and are not refused any more."""
    texts = {each.expression for each in placed_conditions(definition)}
    conditions = {each: stored_condition(each) for each in texts}
    return Playbook(
        version=version, definition=definition, program=lay_out(definition), conditions=conditions
    )


def plain_definition(definition: Definition) -> dict[str, Any]:
    """As JSON has it, without members at their defaults, the steps last as people write them."""
    plain: dict[str, Any] = _definition.dump_python(definition, mode="json", exclude_defaults=True)
    steps = plain.pop("steps")
    return {**plain, "steps": steps}


def definition_yaml(definition: Definition) -> str:
    """As a file."""
    plain = plain_definition(definition)
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120)


def encode_definition(definition: Definition) -> bytes:
    """Canonical JSON: members at their defaults are left out, so that a member added later changes no hash."""
    return _definition.dump_json(definition, exclude_defaults=True)


def decode_definition(data: str | bytes) -> Definition:
    """The definition again."""
    return _definition.validate_json(data)


def content_hash(encoded: bytes) -> str:
    """What tells whether two definitions are the same."""
    return sha256(encoded).hexdigest()
