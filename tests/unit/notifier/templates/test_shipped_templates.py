"""The shipped templates: what they tell, in both languages, with full, empty and strange contexts."""

import re
from typing import Any

import pytest
from tests.unit.notifier.builders import CONTEXT
from tests.unit.notifier.templates.pressing import (
    BRIEFS,
    FULL,
    LETTERS,
    PRESS,
    SHIPPED,
    TEMPLATES,
    linted,
    rendered,
    told,
)

both = pytest.mark.parametrize("locale", ["en", "de"])
ENGLISH = re.compile(
    r"\b(the|and|with|your|you|what|points|before|since|health|account|renewal|today|days)\b", re.IGNORECASE
)


def test_these_templates_are_shipped() -> None:
    assert len(BRIEFS) == 16
    assert LETTERS == [
        "check_in", "more_licences", "onboarding_next_step", "onboarding_offer_help", "payment_failed", "reference_request",
        "review_invitation",
    ]  # fmt: skip
    assert set(TEMPLATES) - set(BRIEFS) - set(LETTERS) == {"digest"}


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_is_wrong_with_any(name: str) -> None:
    assert linted(SHIPPED[name]) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_is_written_in_both_languages_with_the_same_parts(name: str) -> None:
    locales = SHIPPED[name]["locales"]
    assert list(locales) == ["en", "de"]
    shapes = [
        (set(each), len(each.get("steps") or ()), len(each.get("paragraphs") or ()))
        for each in locales.values()
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("context", [FULL, {}], ids=["full", "empty"])
def test_no_english_is_left_in_german(name: str, context: dict[str, Any]) -> None:
    words = rendered(name, {**context, "playbook": {"title": "Titel"}, "account": {"name": "Acme"}}, "de")
    said = (words["subject"] + words["text"]).replace("account_at_risk", "")
    assert ENGLISH.findall(said) == []


@both
@pytest.mark.parametrize("name", BRIEFS)
def test_a_brief_tells_how_it_stands_why_and_what_to_do(name: str, locale: str) -> None:
    words = rendered(name, CONTEXT, locale)
    assert words["subject"].count("Acme") == 1
    assert len(words["subject"]) <= 80
    expected = {
        "en": ("44", "63", "neutral", "€48,000", "14 April 2026", "in 43 days", "Open tickets", "−11", "What to do next"),
        "de": ("44", "63", "neutral", "48.000", "14. April 2026", "in 43 Tagen", "Offene Tickets", "−11", "Was jetzt zu tun ist"),
    }[locale]  # fmt: skip
    for body in (words["text"], words["html"]):
        for each in ("Acme", "n-1", *expected):
            assert each.lower() in body.lower()
        assert body.index("63") < body.index("−11") < body.index("−8")
    assert "\n3. " in words["text"]
    assert "▆▆▆▅▅▅▅▄▄▄" in words["text"]
    assert words["html"].count("vertical-align:bottom") == 10
    assert len(words["points"]) >= 3


@pytest.mark.parametrize(
    ("name", "value", "english", "german"),
    [
        ("account_at_risk", 44.4, "Acme is at risk: health 44, was 63", "Acme ist gefährdet: Gesundheit 44, vorher 63"),
        ("champion_left", 0, "Acme has lost its champion", "Acme hat keinen Fürsprecher mehr"),
        ("goal_at_risk", 0.55, "Acme falls behind the plan: goals at 55%", "Acme liegt hinter dem Plan: Ziele bei 55 %"),
        ("licences_nearly_used", 0.96, "Acme uses 96% of the licences", "Acme nutzt 96 % der Lizenzen"),
        ("notice_due", 30, "Acme can give notice for about 30 more days", "Acme kann noch etwa 30 Tage lang kündigen"),
        ("notice_due", -2, "Acme can give notice for a few more days", "Acme kann noch wenige Tage lang kündigen"),
        ("nps_detractor", 3, "Acme would not recommend us: 3 of 10", "Acme würde uns nicht empfehlen: 3 von 10"),
        ("champion_left", 9, "Acme has lost its champion", "Acme hat keinen Fürsprecher mehr"),
        ("renewal_due", 89, "Acme renews in 43 days", "Acme: Verlängerung in 43 Tagen"),
        ("usage_falling", 0.6, "Acme uses the product 40% less than usual", "Acme nutzt das Produkt 40 % weniger als sonst"),
    ],
    ids=str,
)  # fmt: skip
def test_subjects_tell_what_was_crossed(name: str, value: float, english: str, german: str) -> None:
    context = {**CONTEXT, "crossing": {**CONTEXT["crossing"], "after": value}}
    assert rendered(name, context)["subject"] == english
    assert rendered(name, context, "de")["subject"].replace("\N{NO-BREAK SPACE}", " ") == german


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
    assert told in rendered("renewal_due", {"account": {"renewal_date": renewal}})["text"]


@both
@pytest.mark.parametrize("name", LETTERS)
@pytest.mark.parametrize("context", [CONTEXT, {}], ids=["known", "unknown"])
def test_a_letter_to_a_customer_holds_nothing_of_our_judgement(
    name: str, context: dict[str, Any], locale: str
) -> None:
    words = rendered(name, context, locale)
    assert len(words["subject"]) <= 60
    visible = re.sub(r"<style>.*?</style>|<[^>]*>", "", words["html"], flags=re.DOTALL)
    for body in (words["text"], visible):
        assert ("Acme" if context else "acme") in body
        for ours in (
            "44",
            "48",
            "at risk",
            "gefährdet",
            "health",
            "Gesundheit",
            "score",
            "playbook",
            "None",
            "▅",
        ):
            assert ours not in body


@pytest.mark.parametrize("name", LETTERS)
def test_the_foot_of_a_letter_has_the_links_that_there_are(name: str) -> None:
    links = {"unsubscribe_url": "https://x.example/u?a=1&b=2", "preferences_url": None}
    words = PRESS.render(name, "de", told(CONTEXT) | links)
    assert "Abmelden: https://x.example/u?a=1&b=2" in words["text"]
    assert 'href="https://x.example/u?a=1&amp;b=2"' in words["html"]
    assert "Auswählen" not in words["text"] + words["html"]


@both
@pytest.mark.parametrize("name", BRIEFS)
def test_what_is_unknown_is_left_out(name: str, locale: str) -> None:
    words = rendered(name, {}, locale)
    for body in (words["text"], words["html"]):
        for absent in (
            "None",
            "Revenue",
            "Umsatz",
            "Undefined",
            "of 100",
            "von 100",
            "fresh data",
            "frischen Daten",
        ):
            assert absent not in body


@both
@pytest.mark.parametrize("name", BRIEFS)
def test_a_score_on_thin_ground_says_so(name: str, locale: str) -> None:
    words = rendered(name, {**CONTEXT, "coverage": 0.42}, locale)
    said = {
        "en": "Only 42% of it rests on fresh data",
        "de": "Nur 42\N{NO-BREAK SPACE}% davon beruhen auf frischen Daten",
    }[locale]
    assert said in words["html"]
    assert said in words["text"]


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("junk", [None, 7, "text", [1], {"x": 1}, True, ""], ids=repr)
def test_a_strange_context_yields_a_plainer_message_but_no_error(name: str, junk: Any) -> None:
    context = {
        "account": {"name": junk, "arr": junk, "renewal_date": junk, "currency": junk},
        "score": junk, "band": junk, "coverage": junk, "crossing": {"before": junk, "after": junk, "parts": junk},
        "playbook": junk, "items": junk,
    }  # fmt: skip
    for locale in ("en", "de-AT", "xx", None):
        assert rendered(name, context, locale)["text"]


def test_a_digest_tells_the_subjects_that_its_messages_would_have_had() -> None:
    words = rendered("digest", FULL, "de")
    assert words["subject"] == "2 Nachrichten zu Ihren Kunden"
    assert "- Heute handeln: Globex ist kritisch: Gesundheit 21" in words["text"]
    assert "- Something else" in words["text"]
    assert words["points"] == ["Heute handeln: Globex ist kritisch: Gesundheit 21; Something else"]


def test_a_digest_for_a_customer_holds_nothing_of_our_judgement() -> None:
    item = {"account": "Acme", "template": "check_in", "message_class": "marketing", "playbook_title": "Risk"}
    items = [{**item, "score": 37, "band": "at_risk"}] * 2
    words = rendered("digest", {"items": items})
    for body in (words["text"], words["html"]):
        assert "Is everything working as it should?" in body
        for ours in ("37", "At risk", "at risk", "Risk"):
            assert ours not in body
