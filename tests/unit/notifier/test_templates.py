"""The packaged templates, and how templates fail."""

from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateSyntaxError
from tests.support.clock import START
from tests.unit.notifier.builders import CONTEXT, a_notification

from notifier.adapters.templates import Templates
from notifier.application.ports import Rendered, TemplateError
from notifier.domain.briefing import brief

PACKAGED = ("account_at_risk", "account_critical")


def rendered(template: str, context: dict[str, Any]) -> Rendered:
    return Templates().render(template, brief(a_notification(context=context), START))


def test_these_templates_are_packaged() -> None:
    assert Templates().names == list(PACKAGED)


@pytest.mark.parametrize("template", PACKAGED)
def test_both_bodies_tell_what_a_manager_needs(template: str) -> None:
    words = rendered(template, CONTEXT)
    for body in (words.text, words.html):
        for told in ("Acme", "44", "63", "neutral", "EUR 48,000", "14 April 2026", "in 43 days"):
            assert told in body
        assert body.index("Open tickets") < body.index("Usage recency")
        for moved in ("14", "3", "−11", "30", "22", "−8"):
            assert moved in body
        assert "open tickets, the greatest loss" in body
        assert "Talk to your main contact" in body or "Call your main contact" in body
        assert "An account has become at risk" in body
        assert "n-1" in body


def test_subjects_fit_on_a_phone() -> None:
    assert rendered("account_at_risk", CONTEXT).subject == "Acme is at risk: health 44, was 63"
    assert rendered("account_critical", CONTEXT).subject == "Act today: Acme is critical: health 44, was 63"
    assert rendered("account_at_risk", {"score": 44}).subject == "acme is at risk: health 44"
    assert rendered("account_at_risk", {}).subject == "acme is at risk"


@pytest.mark.parametrize("template", PACKAGED)
def test_what_is_unknown_is_left_out(template: str) -> None:
    words = rendered(template, {})
    for body in (words.text, words.html):
        assert "No single measure stands out." in body
        for absent in ("None", "Revenue", "Renewal", "Undefined", "of 100", "fresh data"):
            assert absent not in body


@pytest.mark.parametrize("template", PACKAGED)
def test_a_score_on_thin_ground_says_so(template: str) -> None:
    assert "Only 42 % of it rests on fresh data" in rendered(template, {**CONTEXT, "coverage": 0.42}).html
    assert "only 42 % of it rests on fresh data" in rendered(template, {**CONTEXT, "coverage": 0.42}).text


@pytest.mark.parametrize("template", PACKAGED)
def test_html_cannot_be_smuggled_in(template: str) -> None:
    evil = "<script>alert(1)</script>"
    context = {
        "account": {"name": evil, "currency": evil, "arr": 1},
        "band": evil,
        "crossing": {"parts": [{"measure": evil, "before": 9, "after": 1}]},
        "playbook": {"title": evil},
    }
    html = rendered(template, context).html
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_an_unknown_template_is_named_with_those_there_are() -> None:
    with pytest.raises(
        TemplateError, match="no template 'welcome'; there are account_at_risk, account_critical"
    ):
        Templates().render("welcome", {})


@pytest.mark.parametrize("name", ["..", "../templates/account_at_risk", "", "_layout.html.j2"])
def test_a_template_cannot_be_reached_by_a_path(name: str) -> None:
    with pytest.raises(TemplateError, match="there is no template"):
        Templates().render(name, {})


def folder_with(folder: Path, body: str) -> Path:
    (folder / "mine").mkdir()
    for name in ("subject.txt.j2", "body.txt.j2", "body.html.j2"):
        (folder / "mine" / name).write_text(body)
    return folder


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{{ account.nickname }}", "has no attribute 'nickname'"),
        ("{{ unheard_of }}", "'unheard_of' is undefined"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "division by zero"),
    ],
)
def test_a_template_that_fails_says_why(tmp_path: Path, body: str, reason: str) -> None:
    templates = Templates(folder_with(tmp_path, body))
    with pytest.raises(TemplateError, match=f"template mine: .*{reason}"):
        templates.render("mine", brief(a_notification(), START))


def test_a_broken_template_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(TemplateSyntaxError):
        Templates(folder_with(tmp_path, "{% if %}"))
