"""The configuration file: every mistake is told with the file and the place."""

from pathlib import Path

import pytest

from csm_common.errors import FatalError
from ingest.adapters.configuration import Configuration, load

PLANS = "plans:\n  - {source: sdk/*, events: {Export: %s}}\n"


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    empty = tmp_path / "empty.yaml"
    empty.write_text("# nothing yet\n")

    assert load(None) == load(empty) == Configuration()


def test_what_is_told_is_read(tmp_path: Path) -> None:
    file = tmp_path / "ingest.yaml"
    file.write_text(PLANS % "{required: [format]}")

    (plan,) = load(file).plans

    assert (plan.source, plan.mode, plan.unplanned) == ("sdk/*", "log", "allow")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "is not YAML: while parsing"),
        ("a: !!python/name:os.system", "is not YAML: could not determine a constructor"),
        (b"\xff\xfe\xff", "is not a text in UTF-8"),
        ("[1]", "the file: Input should be a valid dictionary"),
        ("no", "the file: Input should be a valid dictionary"),
        ("plan: []", "plan: there is no such key"),
        ("sdk: 5", "sdk: Input should be a valid dictionary"),
        ("plans: [{events: {A: {}}}]", "plans.0.source: is missing"),
        ("plans: [{source: '', events: {A: {}}}]", "plans.0.source: String should have at least 1 character"),
        ("plans: [{source: x, events: {}}]", "plans.0.events: Dictionary should have at least 1 item"),
        (
            "plans: [{source: x, mode: drop, events: {A: {}}}]",
            "plans.0.mode: Input should be 'log', 'park' or",
        ),
        (PLANS % "[]", "plans.0.events.Export: Input should be a valid dictionary"),
        (PLANS % "{type: txt}", "plans.0.events: Export.type: not a JSON Schema: "),
        (PLANS % "{properties: {a: {pattern: '('}}}", "Export.properties.a.pattern: not a JSON Schema: "),
        (
            PLANS % "{properties: {a: {const: 2026-01-01}}}",
            "Export: not a JSON Schema: Unsupported type: 'date'",
        ),
        (PLANS % "{properties: {1: {}}}", "Export: not a JSON Schema: Dict key must be str"),
        (PLANS % "{$ref: '#/nowhere'}", "Export: not a JSON Schema: Pointer '/nowhere' does not exist"),
        (PLANS % "{$ref: 'other.json'}", "Export: not a JSON Schema: "),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str | bytes, told: str) -> None:
    file = tmp_path / "ingest.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(FatalError) as caught:
        load(file)

    assert str(file) in caught.value.message
    assert told in caught.value.message


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "ingest.yaml"
    file.write_text("plan: []\nplans: [{source: x}]\n")

    with pytest.raises(FatalError) as caught:
        load(file)

    assert caught.value.message.splitlines()[1:] == [
        "  plans.0.events: is missing",
        "  plan: there is no such key",
    ]


@pytest.mark.parametrize(("name", "why"), [("none.yaml", "No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(FatalError, match=why):
        load(tmp_path / name)
