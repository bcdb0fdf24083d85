"""Implements managing_ports.Documents on the reader of definitions."""

from typing import Any

from playbooks.adapters.definitions import definition_yaml, plain_definition, read_definition
from playbooks.application.managing_ports import Written
from playbooks.domain.definition import Definition


class DefinitionDocuments:
    """Definitions as YAML and JSON."""

    def read(self, text: str, *, is_json: bool) -> Written:
        """MistakenError with all mistakes of a text that cannot be used."""
        definition, position = read_definition(text, "playbook", is_json=is_json)
        return Written(definition, position)

    def plain(self, definition: Definition) -> dict[str, Any]:
        """As JSON, without members at their defaults."""
        return plain_definition(definition)

    def yaml(self, definition: Definition) -> str:
        """As a file."""
        return definition_yaml(definition)
