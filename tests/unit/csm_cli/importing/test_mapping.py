"""Mistakes in a mapping file are told before anything moves, each with its place and what is allowed."""

from pathlib import Path

import pytest
from tests.unit.csm_cli.importing.samples import USAGE, mapping

from csm_cli.importing.mapping import load, parse, shipped
from csm_common.errors import InvalidError


def mistakes(text: str) -> str:
    with pytest.raises(InvalidError) as told:
        parse(text, origin="mine.yaml")
    assert told.value.code == "mapping_invalid"
    return told.value.message


def test_a_sound_mapping_is_read() -> None:
    found = mapping()
    assert found.source == "/import/sample"
    assert found.sections[0].facts[0].data["quantity"].columns == ("amount",)


def test_every_shipped_mapping_is_sound() -> None:
    assert shipped() == ["cloud_provider_analytics", "fightchurn_crm5"]
    assert [load(each).name for each in shipped()] == shipped()


def test_the_mapping_in_the_docs_is_sound() -> None:
    docs = (Path(__file__).parents[4] / "docs" / "importing.md").read_text(encoding="utf-8")
    example = docs.split("```yaml\n")[1].split("```")[0]
    assert parse(example, origin="the docs").name == "acme"


def test_a_mapping_can_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(USAGE, encoding="utf-8")
    assert load(str(file)).name == "sample"


def test_an_unknown_mapping_names_the_known() -> None:
    with pytest.raises(InvalidError, match="neither a file of that path nor one of cloud_provider_analytics"):
        load("nonsense")


@pytest.mark.parametrize(
    ("found", "replacement", "told"),
    [
        ("subject: account", "subjekt: account", "sections[0].subjekt: there is no such key"),
        ("subject: account", "subjekt: account", "sections[0].subject: is missing"),
        ("format: csv", "format: xml", "sections[0].format: Input should be 'csv' or 'jsonl'"),
        ("feature: feature, ", "", "facts[0]: csm.usage.recorded needs the data field feature"),
        ("amount}", "{column: amount, as: money}}", "data.quantity.as: Input should be 'text'"),
        ("amount}", "{column: amount, const: 1}}", "data.quantity: give exactly one of column, join, const"),
        ("amount}", "{}}", "data.quantity: give exactly one of column, join, const"),
        (
            "amount}",
            "{column: amount, as: text, min: 1}}",
            "data.quantity: min, max and times are for numbers",
        ),
        ("amount}", "{column: amount, map: {yes: 1}}}", "data.quantity.map"),
        ("amount}", "{column: amount, map: {a: [1]}}}", "data.quantity.map.a: must be a text, a number"),
        ("time: at", "time: {column: at, as: date}", "sections[0].time: the time of a fact is always read"),
        ("time: at", "time: at\n    skip: [{when: {}, reason: x}]", "sections[0].skip[0].when"),
        (
            "time: at",
            "time: at\n    skip: [{when: {a: {is: 1}}, reason: x}]",
            "skip[0].when.a: a test is null",
        ),
        ("name: sample", "name: sample\ntimezone: Mars/Base", "timezone: there is no timezone 'Mars/Base'"),
        ("name: usage", "name: Usage!", "sections[0].name"),
    ],
)
def test_a_mistake_is_told_with_its_place(found: str, replacement: str, told: str) -> None:
    assert found in USAGE
    message = mistakes(USAGE.replace(found, replacement))
    assert message.startswith("The mapping mine.yaml has mistakes:\n  ")
    assert told in message


def test_sections_have_names_of_their_own() -> None:
    section = USAGE.split("sections:")[1]
    assert "two sections are named usage" in mistakes(USAGE + section)


@pytest.mark.parametrize("text", ["", "just text", "- a\n- b"])
def test_what_is_no_mapping_at_all(text: str) -> None:
    assert "  the file: " in mistakes(text)


def test_what_is_no_yaml() -> None:
    assert "is not YAML" in mistakes("a: [")
