"""Every mistake in a document is told with its line and column: of its shape, of its texts, and of trial renderings."""

import jsonschema_rs
import pytest
from tests.unit.notifier.templates.pressing import FULL, PRESS, SHIPPED, a_document, linted, told

from notifier.adapters.templates.document import ReadDocument, template_schema
from notifier.adapters.templates.linting import lint
from notifier.application.template_mistakes import Mistake, MistakenError

GOOD = """\
name: mine
title: Mine
locales:
  en:
    subject: "Hello {{ account.name }}"
    text: |
      Hello.

      {{ account.name }}
    html: <b>{{ account.name }}</b>
"""


def mistakes(text: str, *, is_json: bool = False) -> list[tuple[int, int, str]]:
    """Line, column and sentence of each."""
    try:
        document = ReadDocument(text, "template", is_json=is_json)
    except MistakenError as mistaken:
        return [(each.line, each.column, each.message) for each in mistaken.mistakes]
    found = lint(PRESS, document.plain, {"full": told(FULL), "empty": told({})})
    placed = {
        document.mistake(tuple(each["place"]), each["line"], each["near"], each["message"]) for each in found
    }
    return [(each.line, each.column, each.message) for each in sorted(placed, key=Mistake.place)]


def test_a_good_document_has_none_and_is_kept_as_it_was_written() -> None:
    assert mistakes(GOOD) == []
    assert ReadDocument(GOOD, "x").written == GOOD


def test_json_is_kept_as_yaml() -> None:
    text = '{"name": "mine", "title": "Mine", "locales": {"en": {"subject": "A", "text": "B"}}}'
    assert mistakes(text, is_json=True) == []
    assert ReadDocument(text, "x", is_json=True).written.startswith("name: mine\n")


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "sentence"),
    [
        ("title: Mine", "title: Mine\ntitel: Mine", 3, 1, "there is no such member"),
        ("title: Mine\n", "", 1, 1, "is missing"),
        ("  en:", "  en: [", 6, 5, "while parsing a flow sequence"),
        ("  en:", "  de:", 1, 1, "locales must have the default, en"),
        ("  en:", "  englisch:", 4, 3, "String should match pattern"),
        ('    subject: "Hello {{ account.name }}"\n', "", 5, 5, "a message needs a subject"),
        ("    text: |\n      Hello.\n\n      {{ account.name }}\n", "", 5, 5, "a text part is missing"),
        ("Hello {{ account.name }}", "Hello {{ account.nmae }}", 5, 32, "no field account.nmae; did you mean name?"),
        ("\n      {{ account.name }}", "\n      {{ acount.name }}", 9, 10, "no variable acount; did you mean account?"),
        ("\n      {{ account.name }}", "\n      {{ account.name | hedding }}", 9, 25, "no filter hedding; did you mean heading?"),
        ("\n      {{ account.name }}", "\n      {{ account.name ", 9, 7, "unexpected end of template"),
        ("\n      {{ account.name }}", '\n      {% include "fooder" %}', 9, 19, "no partial fooder; did you mean footer?"),
        ("\n      {{ account.name }}", "\n      {% include account.name %}", 9, 7, "named by a plain text in quotes"),
        ("\n      {{ account.name }}", "\n      {{ parts[0].measure }}", 5, 5, "with the empty sample"),
        ("\n      {{ account.name }}", "\n      {{ 'in ' ~ renewal_in_days }}", 5, 5, "with the empty sample it says None"),
        ("\n      {{ account.name }}", "\n      {% for p in parts %}{{ p.mesure }}{% endfor %}", 9, 32, "no field p.mesure"),
        ("<b>{{ account.name }}</b>", "<b>{{ account.name | safe }}</b>", 10, 32, "there is no filter safe"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(old: str, new: str, line: int, column: int, sentence: str) -> None:
    assert old in GOOD
    found = mistakes(GOOD.replace(old, new, 1))
    assert sentence in found[0][2]
    assert found[0][:2] == (line, column)


def test_all_mistakes_are_told_at_once() -> None:
    broken = GOOD.replace("account.name", "account.nmae")
    assert [each[0] for each in mistakes(broken)] == [5, 9, 10]


def test_own_fields_are_known() -> None:
    document = a_document(
        "{{ discount }} {{ account.industry }}", fields={"discount": {}, "account.industry": {"default": "x"}}
    )
    assert linted(document) == []
    assert "no variable discount" in linted(a_document("{{ discount }}"))[0]


def test_the_published_schema_takes_what_is_shipped() -> None:
    validator = jsonschema_rs.validator_for(dict(template_schema()))
    assert all(validator.is_valid(each) for each in SHIPPED.values())
    assert not validator.is_valid({"name": "x"})
