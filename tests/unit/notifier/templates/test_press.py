"""Rendering: languages, defaults for empty fields, partials, bounds, and what the sandbox refuses."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError, TemplateSyntaxError
from tests.unit.notifier.builders import CONTEXT
from tests.unit.notifier.templates.pressing import (
    PRESS,
    SHIPPED,
    TEMPLATES,
    a_document,
    rendered,
    told,
    tried,
)

from notifier.adapters.templates.press import Press, RefusedError, choose, tongue


@pytest.mark.parametrize(
    ("wanted", "chosen", "written"),
    [
        ("de-AT", "de-AT", "de-AT"),
        ("de_at", "de-AT", "de_at"),
        ("de-CH", "de", "de-CH"),
        ("de", "de", "de"),
        ("fr", "en", "en"),
        ("en-US", "en", "en-US"),
        ("", "en", "en"),
        (None, "en", "en"),
        ("nonsense!", "en", "en"),
    ],
)
def test_the_nearest_language_is_chosen_and_figures_are_the_readers(
    wanted: str | None, chosen: str, written: str
) -> None:
    document = a_document(locales={"en": {}, "de": {}, "de-AT": {}})
    assert choose(document, wanted) == chosen
    assert tongue(chosen, wanted) == written


def test_a_mail_is_in_one_language_where_its_template_lacks_the_readers() -> None:
    document = a_document(layout="letter", english={"paragraphs": ["Only English."], "text": None})
    words = PRESS.trial(document, "de", told(CONTEXT))
    assert "Kind regards" in words["text"]
    assert 'lang="en"' in words["html"]


def test_empty_fields_have_their_defaults() -> None:
    fields = {
        "discount": {"default": 10},
        "account.industry": {"default": "your field"},
        "account.plan": {"default": "basic"},
    }
    text = "{{ discount }} {{ account.industry }} {{ account.plan }} {{ account.name }}"
    assert tried(text, fields=fields) == "10 your field basic Acme"
    context = {**CONTEXT, "discount": 20, "account": {"name": "Acme", "industry": "ships", "plan": " "}}
    assert tried(text, context, fields=fields) == "20 ships basic Acme"


def test_a_field_without_a_value_says_nothing() -> None:
    assert tried("[{{ account.plan }}]") == "[]"


def test_own_partials_replace_what_is_shipped_and_words_can_be_changed() -> None:
    mine = {
        "kind": "partial",
        "name": "footer",
        "title": "",
        "default": "en",
        "text": "Mine, {{ words.as_contact }}",
    }
    press = Press([*SHIPPED.values(), {**mine, "locales": {"en": {"words": {"as_contact": "yours"}}}}])
    assert press.render("check_in", "en", told(CONTEXT))["text"].endswith("--\nMine, yours\n")


def test_an_unknown_template_is_named_with_those_there_are() -> None:
    with pytest.raises(
        RefusedError, match="no template 'welcome'; there are account_at_risk, account_critical"
    ):
        rendered("welcome", {})


@pytest.mark.parametrize("name", ["..", "../templates/account_at_risk", "", "letter"])
def test_a_template_cannot_be_reached_by_a_path(name: str) -> None:
    with pytest.raises(RefusedError, match="there is no template"):
        rendered(name, {})


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ ([account]|map(attribute='__class__')|list)[0] }}",
        "{{ '{0.__class__}'.format(account) }}",
        "{{ '{0.__class__}'|format(account) }}{{ ('%s' % account).__class__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ range.__globals__ }}",
        "{{ account.update({'name': 'x'}) }}",
        "{{ account.pop('name') }}",
        "{{ steps.append(1) }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ account.name | safe }}",
        "{% for a in range(10000000) %}{% endfor %}",
        "{{ 1 / 0 }}",
        "{{ account.nickname }}",
        "{{ unheard_of }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    ],
)
def test_a_template_cannot_reach_out_of_its_sandbox(text: str) -> None:
    with pytest.raises(
        (
            TemplateError,
            RefusedError,
            OverflowError,
            ArithmeticError,
            RecursionError,
            AttributeError,
            TypeError,
        )
    ):
        tried(text)


def test_what_is_too_long_is_refused_and_a_subject_is_cut() -> None:
    with pytest.raises(RefusedError, match="the text is longer than 100000 characters"):
        tried("{% for a in range(90000) %}xx{% endfor %}")
    words = PRESS.trial(a_document(english={"subject": "{{ 'long\n' * 90 }}"}), "en", told({}))
    assert len(words["subject"]) == 200
    assert words["subject"].endswith("…")
    assert "\n" not in words["subject"]


def test_an_attachment_is_rendered_as_well() -> None:
    files = [
        {"name": "{{ account.name }}.csv", "media_type": "text/csv", "body": "score\n{{ score | points }}\n"}
    ]
    words = PRESS.trial(a_document(attachments=files), "en", told(CONTEXT))
    assert words["attachments"] == [{"name": "Acme.csv", "media_type": "text/csv", "body": "score\n44"}]


def test_a_broken_text_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError):
        tried("{% if %}")


evil = st.text(st.sampled_from("<>\"'&={}%#script/ \n`"), min_size=1, max_size=30).map(
    lambda x: f"<b x='{x}\">"
)


@settings(deadline=None)  # the first rendering of each template compiles it
@given(evil=evil, name=st.sampled_from(TEMPLATES), locale=st.sampled_from(["en", "de"]))
def test_html_cannot_be_smuggled_in(evil: str, name: str, locale: str) -> None:
    item: dict[str, Any] = {
        "account": evil,
        "template": "check_in",
        "playbook_title": evil,
        "band": evil,
        "message_class": "internal",
    }
    context = {
        "account": {"name": evil, "currency": evil, "arr": 1, "renewal_date": "2026-04-14"},
        "score": 1, "band": evil, "items": [item, {**item, "template": evil}],
        "crossing": {"after": 1, "before": 2, "band_before": evil, "parts": [{"measure": evil, "before": 9, "after": 1}]},
        "playbook": {"title": evil},
    }  # fmt: skip
    variables = told(context, name, id=evil, account_id=evil)
    links = {"unsubscribe_url": evil, "preferences_url": evil}
    html = PRESS.render(name, locale, variables | links)["html"]
    assert "<b " not in html
    assert "&lt;b x=&#39;" in html
