"""Whatever a person can define survives being written, read and stored; whatever they get wrong is told inside the document."""

import json
from typing import Any

import jsonschema_rs
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.playbooks.definitions.generated import definitions

from playbooks.adapters.definition_schema import definition_schema
from playbooks.adapters.definitions import (
    content_hash,
    decode_definition,
    definition_yaml,
    encode_definition,
    parse_definition,
    plain_definition,
    playbook_of,
)
from playbooks.application.mistakes import Mistake, MistakenError
from playbooks.domain.definition import Definition
from playbooks.domain.scopes import placed_conditions

whole = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A playbook takes many draws, which a busy machine takes long for."""


@whole
@given(definitions())
def test_a_definition_survives_yaml_json_and_the_store(definition: Definition) -> None:
    read = parse_definition(definition_yaml(definition), "p.yaml")
    assert read == definition
    as_json = json.dumps(plain_definition(definition), indent=1)
    assert parse_definition(as_json, "p.json", is_json=True) == definition
    encoded = encode_definition(definition)
    assert decode_definition(encoded) == definition
    assert content_hash(encode_definition(read)) == content_hash(encoded)


@whole
@given(definitions())
def test_whatever_can_be_used_fits_the_schema(definition: Definition) -> None:
    validator = jsonschema_rs.validator_for(definition_schema())
    assert [str(error) for error in validator.iter_errors(plain_definition(definition))] == []


@whole
@given(definitions())
def test_every_step_is_laid_out_and_every_condition_compiled(definition: Definition) -> None:
    playbook = playbook_of(3, definition)
    assert list(playbook.program.nodes.keys()) != []
    assert {step.name for step, _ in definition.all_steps()} == playbook.program.nodes.keys()
    assert {each.expression for each in placed_conditions(definition)} == playbook.conditions.keys()


def _places(value: Any, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Of every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [each for key, member in inner for each in _places(member, (*place, key))]
    return [*([place] if place else []), *found]


def _put(value: Any, place: tuple[str | int, ...], member: Any) -> Any:
    first, *rest = place
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[first] = _put(copy[first], tuple(rest), member) if rest else member
    return copy


def _mistakes(text: str, *, is_json: bool = False) -> tuple[Mistake, ...]:
    try:
        parse_definition(text, "p.yaml", is_json=is_json)
    except MistakenError as mistaken:
        return mistaken.mistakes
    return ()


WRONG = [7.5, "", " ", [], {}, {"nope": 1}, [{"name": "x"}], "At risk!", "account.", None, -3, "0d", True]


@whole
@given(definitions(), st.data(), st.sampled_from(WRONG))
def test_a_single_change_is_either_good_or_told_inside_the_document(
    definition: Definition, data: st.DataObject, wrong: Any
) -> None:
    plain = plain_definition(definition)
    place = data.draw(st.sampled_from(_places(plain)))
    text = yaml.safe_dump(_put(plain, place, wrong), sort_keys=False, allow_unicode=True, width=100)
    lines = text.splitlines()
    for each in _mistakes(text):
        assert 1 <= each.line <= len(lines), each
        assert 1 <= each.column <= len(lines[each.line - 1]) + 1, each
        assert each.message
        assert "\n" not in each.message
        assert each.member.split(".")[0] in {"playbook", *plain, *Definition.__slots__}


@whole
@given(definitions(), st.data())
def test_a_member_that_there_is_not_is_told_by_its_name(definition: Definition, data: st.DataObject) -> None:
    plain = plain_definition(definition)
    steps = [place for step, place in definition.all_steps()]
    place = data.draw(st.sampled_from([(), *steps]))
    text = yaml.safe_dump(_put(plain, (*place, "zzz"), 1), sort_keys=False, allow_unicode=True)
    [mistake] = _mistakes(text)
    assert mistake.member == ".".join(map(str, (*place, "zzz")))
    assert text.splitlines()[mistake.line - 1].lstrip(" -").startswith("zzz: 1")


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_at_all_is_read_or_refused(text: str) -> None:
    for is_json in (False, True):
        assert all(each.line >= 1 and each.column >= 1 for each in _mistakes(text, is_json=is_json))
