"""Until the reader of definitions has them: definitions made ready, and their hashes."""

from hashlib import sha256

from pydantic import TypeAdapter

from playbooks.adapters.conditions import stored_condition
from playbooks.application.model import Playbook
from playbooks.domain.definition import Definition
from playbooks.domain.program import lay_out
from playbooks.domain.scopes import placed_conditions

_definition = TypeAdapter(Definition)


def ready(version: int, definition: Definition) -> Playbook:
    """The version with its conditions compiled."""
    texts = {each.expression for each in placed_conditions(definition)}
    conditions = {text: stored_condition(text) for text in texts}
    return Playbook(
        version=version, definition=definition, program=lay_out(definition), conditions=conditions
    )


def content_hash(definition: Definition) -> str:
    """What tells whether two definitions are the same."""
    return sha256(_definition.dump_json(definition, exclude_defaults=True)).hexdigest()
