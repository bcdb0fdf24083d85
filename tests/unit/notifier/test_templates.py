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

ALARMS = ("account_at_risk", "account_critical")
BRIEFS = (
    "champion_left", "goal_at_risk", "goal_reached", "licences_nearly_used", "notice_due", "nps_detractor", "nps_promoter",
    "onboarding_stalled", "payment_overdue", "renewal_due", "review_due", "support_escalated", "support_still_escalated",
    "usage_falling",
)  # fmt: skip
"""To our own people, beside the two alarms."""
LETTERS = (
    "check_in", "more_licences", "onboarding_next_step", "onboarding_offer_help", "payment_failed", "reference_request",
    "review_invitation",
)  # fmt: skip
"""To customers."""
PACKAGED = (*ALARMS, *BRIEFS)


def rendered(template: str, context: dict[str, Any]) -> Rendered:
    return Templates().render(template, brief(a_notification(context=context), START))


def test_these_templates_are_packaged() -> None:
    assert Templates().names == sorted([*PACKAGED, *LETTERS])


@pytest.mark.parametrize("template", PACKAGED)
def test_both_bodies_tell_how_it_stands_and_what_to_do(template: str) -> None:
    words = rendered(template, CONTEXT)
    assert words.subject.count("Acme") == 1
    assert len(words.subject) <= 80
    for body in (words.text, words.html):
        for told in (
            "Acme",
            "44",
            "EUR 48,000",
            "14 April 2026",
            "Open tickets",
            "−11",
            "What to do next",
            "n-1",
        ):
            assert told.lower() in body.lower()
    assert "  3. " in words.text


@pytest.mark.parametrize(
    ("template", "value", "subject"),
    [
        ("champion_left", 0, "Acme has lost its champion"),
        ("goal_at_risk", 0.55, "Acme falls behind the plan: goals at 55 %"),
        ("goal_reached", 1, "Acme has reached what they set out to reach"),
        ("licences_nearly_used", 0.96, "Acme uses 96 % of the licences"),
        ("notice_due", 30, "Acme can give notice for about 30 more days"),
        ("notice_due", -2, "Acme can give notice for a few more days"),
        ("nps_detractor", 3, "Acme would not recommend us: 3 of 10"),
        ("nps_promoter", 10, "Acme would recommend us: 10 of 10"),
        ("onboarding_stalled", 7, "Acme: nobody has been in for over 7 days"),
        ("payment_overdue", 1, "Acme has not paid yet"),
        ("renewal_due", 89, "Acme renews in 43 days"),
        ("review_due", 180, "Acme: a business review is due"),
        ("support_escalated", 1, "Acme has escalated a support ticket"),
        ("support_still_escalated", 1, "Acme: still escalated after two days"),
        ("usage_falling", 0.6, "Acme uses the product 40 % less than usual"),
    ],
)
def test_subjects_tell_what_was_crossed(template: str, value: float, subject: str) -> None:
    context = {**CONTEXT, "crossing": {"after": value}}
    assert rendered(template, context).subject == subject


@pytest.mark.parametrize(
    ("renewal", "told"),
    [
        ("2026-05-31", "Write down what could stop it"),
        ("2026-05-01", "Send the proposal now"),
        ("2026-04-01", "Get the signature"),
        (None, "Write down what could stop it"),
    ],
    ids=["in 90 days", "in 60 days", "in 30 days", "unknown"],
)
def test_a_renewal_is_told_by_how_near_it_is(renewal: str | None, told: str) -> None:
    assert told in rendered("renewal_due", {"account": {"renewal_date": renewal}}).text


@pytest.mark.parametrize("template", LETTERS)
@pytest.mark.parametrize("context", [CONTEXT, {}], ids=["known", "unknown"])
def test_a_letter_to_a_customer_holds_nothing_of_our_judgement(
    template: str, context: dict[str, Any]
) -> None:
    words = rendered(template, context)
    name = "Acme" if context else "acme"
    assert len(words.subject) <= 60
    for body in (words.text, words.html):
        assert name in body
        assert "Your customer success team" in body
        for ours in ("44", "48,000", "at risk", "health", "score", "playbook", "None", "Undefined"):
            assert ours not in body.replace("#616e7c", "")


@pytest.mark.parametrize("template", ALARMS)
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


@pytest.mark.parametrize("template", [*PACKAGED, *LETTERS])
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
