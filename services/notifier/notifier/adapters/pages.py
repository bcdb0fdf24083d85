"""The pages that people see who follow a link in a message: packaged templates, in their language, without any script."""

import base64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_NOTHING_ELSE = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
PACKAGED = Path(__file__).parent.parent / "pages"

Titles = Mapping[str, Mapping[str, str]]
"""By category and language."""


class PublicPages:
    """Implements Pages. All templates are loaded at once, so that a broken one stops the start and not a person."""

    def __init__(self, sender: str, categories: Titles | None = None) -> None:
        """`sender` is who writes, as people know them; `categories` stand in place of the packaged ones."""
        environment = Environment(
            loader=FileSystemLoader(PACKAGED),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            auto_reload=False,
        )
        self._words: dict[str, Any] = yaml.safe_load((PACKAGED / "words.yaml").read_text())
        self._languages: Sequence[str] = self._words.pop("languages")
        packaged: Titles = self._words.pop("categories")
        self._titles = categories or packaged
        css = (PACKAGED / "page.css").read_text()
        environment.globals.update(sender=sender, css=css)
        self._templates = {name: environment.get_template(f"{name}.html.j2") for name in self._words}
        style = base64.b64encode(sha256(css.encode()).digest()).decode()
        self._policy = f"{_NOTHING_ELSE}; style-src 'sha256-{style}'"

    @property
    def categories(self) -> Sequence[str]:
        """Those that people can choose from."""
        return list(self._titles)

    @property
    def content_policy(self) -> str:
        """The pages' Content-Security-Policy: their own style and forms, and nothing else."""
        return self._policy

    def language(self, accepted: str, known: str | None) -> str:
        """The best of a header Accept-Language (RFC 9110, 12.5.4), else the one that is known of the person, else the first."""
        wanted = [*_by_preference(accepted), known or ""]
        return next((each for each in wanted if each in self._languages), self._languages[0])

    def title(self, category: str, language: str) -> str:
        """What people call a category."""
        titles = self._titles.get(category, {})
        plain = category.replace("_", " ").capitalize()
        return titles.get(language) or titles.get(self._languages[0]) or plain

    def render(self, page: str, language: str, **values: Any) -> str:
        """The page as HTML."""
        words = {name: each[language] for name, each in self._words[page].items()}
        return self._templates[page].render(language=language, words=words, **values)


def _by_preference(accepted: str) -> list[str]:
    """The two-letter languages of the header, the dearest first; those with a weight of 0 are not wanted."""
    weighed = [_weighed(each) for each in accepted[:500].split(",")]
    ordered = sorted(weighed, key=lambda each: each[1], reverse=True)
    return [language for language, weight in ordered if weight > 0]


def _weighed(item: str) -> tuple[str, float]:
    language, _, parameter = item.partition(";")
    name, _, weight = parameter.strip().partition("=")
    try:
        value = float(weight) if name.strip() == "q" else 1.0
    except ValueError:
        value = 0.0
    return language.strip().lower()[:2], value
