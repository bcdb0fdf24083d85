"""The public pages: in the reader's language, whole, and without anything that could run."""

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from notifier.adapters.pages import PACKAGED, PublicPages

PAGES = PublicPages("The Team")
VALUES: dict[str, dict[str, Any]] = {
    "unsubscribe": {"category": "News", "preferences": "t.o.k"},
    "unsubscribed": {"category": "News", "preferences": "t.o.k", "under_way": True},
    "preferences": {
        "categories": [{"name": "news", "title": "News", "wanted": True}],
        "nothing": True,
        "saved": True,
        "stopped": True,
        "under_way": True,
    },
    "invalid": {},
}


def test_every_page_has_every_word_in_every_language() -> None:
    words = yaml.safe_load((PACKAGED / "words.yaml").read_text())
    languages, categories = words.pop("languages"), words.pop("categories")
    entries = [each for page in words.values() for each in page.values()] + list(categories.values())
    assert all(list(each) == languages for each in entries)
    assert set(words) == set(VALUES)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("page", sorted(VALUES))
def test_a_page_has_a_language_a_title_and_no_script(page: str, language: str) -> None:
    html = PAGES.render(page, language, **VALUES[page])
    assert f'<html lang="{language}">' in html
    assert re.search(r"<title>.+ – The Team</title>", html)
    assert not re.search(r"<script|javascript:|\son\w+=|style=|https?://", html)


def test_what_comes_from_elsewhere_is_escaped() -> None:
    html = PublicPages("<b>Team</b>").render(
        "unsubscribe", "en", category="<script>alert(1)</script>", preferences='"><x'
    )
    assert "<script" not in html
    assert "<x" not in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("accepted", "known", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", None, "de"),
        ("en-GB, de;q=0.5", "de", "en"),
        ("fr-FR, de;q=0.5, en;q=0.7", None, "en"),
        ("fr", "de", "de"),
        ("", "de", "de"),
        ("fr", "ja", "en"),
        ("de;q=0", None, "en"),
        ("de;q=x", None, "en"),
        ("*", None, "en"),
    ],
    ids=str,
)
def test_the_browser_says_which_language_else_the_message(
    accepted: str, known: str | None, language: str
) -> None:
    assert PAGES.language(accepted, known) == language


@given(st.text(max_size=1000), st.none() | st.text(max_size=5))
def test_any_header_gives_a_language(accepted: str, known: str | None) -> None:
    assert PAGES.language(accepted, known) in ("en", "de")


def test_categories_go_by_their_titles_else_by_their_names() -> None:
    ours = PublicPages("The Team", {"news": {"de": "Neues", "en": "News"}, "tips": {"en": "Tips"}})
    assert ours.categories == ["news", "tips"]
    assert [ours.title(each, "de") for each in ("news", "tips", "product_news")] == [
        "Neues",
        "Tips",
        "Product news",
    ]
    assert PAGES.categories == ["adoption", "expansion", "feedback", "relationship"]


def test_the_policy_lets_in_nothing_but_the_style_of_the_page() -> None:
    assert "default-src 'none'" in PAGES.content_policy
    assert "style-src 'sha256-" in PAGES.content_policy
    assert "unsafe" not in PAGES.content_policy
