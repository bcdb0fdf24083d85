"""Renders documents to words. Runs in the child process alone: see `child.py`."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import lru_cache
from itertools import islice
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Namespace

from notifier.adapters.templates.language import Language, parse_locale
from notifier.domain.trend import Bar

TONES = {
    "critical": "#b91c1c",
    "warning": "#b45309",
    "good": "#15803d",
    "info": "#1d4ed8",
    "neutral": "#475569",
}
LONGEST_SUBJECT = 200
LONGEST_TEXT = 100_000
LONGEST_HTML = 300_000
LONGEST_ATTACHMENT = 1_000_000
MOST_POINTS = 20

# `safe` would let what a context holds into a mail's HTML unescaped; the others reach into objects or are never the same twice.
_REFUSED_FILTERS = ("attr", "pprint", "random", "safe", "xmlattr")
_CACHED_LOCALES = 16
_PIECES = 512

_OF_BAR = frozenset(each.name for each in fields(Bar))
_MOVED = ("value", "score_before", "band_before", "renewal_in_days", "coverage")
"""What a digest does not tell of its items."""

Document = Mapping[str, Any]


class RefusedError(Exception):
    """The words cannot be made; the sentence says why."""


def choose(document: Document, wanted: str | None) -> str:
    """Which of a document's locales: the exact one (de-AT), its language (de), else the document's default."""
    tag = (wanted or "").replace("_", "-")
    locales = {each.lower(): each for each in document["locales"]}
    return locales.get(tag.lower()) or locales.get(tag.split("-")[0].lower()) or str(document["default"])


def tongue(chosen: str, wanted: str | None) -> str:
    """The locale that figures are written in: the wanted one where it is of the chosen language."""
    known, language = parse_locale(wanted), parse_locale(chosen)
    same = known is not None and language is not None and known.language == language.language
    return str(wanted) if same else chosen


class Press:
    """All templates and partials in force, compiled when they are first used."""

    def __init__(self, documents: Iterable[Document]) -> None:
        known = list(documents)
        self._templates = {each["name"]: each for each in known if each["kind"] == "template"}
        self.partials = {each["name"]: each for each in known if each["kind"] == "partial"}
        self._desk = lru_cache(_CACHED_LOCALES)(lambda locale: _Desk(locale, self.partials))

    def render(self, name: str, locale: str | None, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The words of a template in force; RefusedError where there is none."""
        document = self._templates.get(name)
        if document is None:
            there = ", ".join(sorted(self._templates))
            raise RefusedError(f"there is no template {name!r}; there are {there}")
        return self._render(document, locale, variables)

    def trial(self, document: Document, locale: str | None, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The words of a document that is not in force, among the partials that are."""
        return self._render(document, locale, variables, _Desk)

    def environment(self, *, html: bool) -> ImmutableSandboxedEnvironment:
        """One to parse with."""
        return _environment("en", self.partials, html=html)

    def _render(
        self, document: Document, locale: str | None, variables: Mapping[str, Any], fresh: Any = None
    ) -> dict[str, Any]:
        chosen = choose(document, locale)
        written = tongue(chosen, locale)
        desk = _Desk(written, self.partials) if fresh else self._desk(written)
        told = _filled(document, variables)
        told["items"] = [self._item(each, locale, variables) for each in told.get("items") or ()]
        return desk.render(document, chosen, told)

    def _item(
        self, item: Mapping[str, Any], locale: str | None, variables: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """A digest's item with the subject it would have had alone, made of what is known of it."""
        document = self._templates.get(item["template"])
        if document is None:
            return {**item, "subject": item["title"] or ""}
        chosen = choose(document, locale)
        alone = {
            **variables,
            **dict.fromkeys(_MOVED),
            "parts": [],
            "items": [],
            "score": item["score"],
            "band": item["band"],
        }
        alone["account"] = {**dict.fromkeys(variables["account"]), "name": item["account"] or ""}
        desk = self._desk(tongue(chosen, locale))
        return {**item, "subject": desk.subject(document, chosen, _filled(document, alone))}


class _Desk:
    """What is compiled for one locale."""

    def __init__(self, locale: str, partials: Mapping[str, Document]) -> None:
        self._locale = locale
        self._plain = _environment(locale, partials, html=False)
        self._rich = _environment(locale, partials, html=True)
        self._words: dict[str, str] = {}
        for each in partials.values():
            self._words.update(each["locales"].get(choose(each, locale), {}).get("words") or {})
        self._compiled: dict[tuple[bool, str], Template] = {}

    def render(self, document: Document, chosen: str, variables: dict[str, Any]) -> dict[str, Any]:
        own = document["locales"][chosen]
        layout = document.get("layout", "none")
        told = {
            **variables,
            "locale": chosen,
            "title": document["title"],
            "colour": TONES[document.get("tone") or "neutral"],
            "words": {**self._words, **(own.get("words") or {})},
        }
        told["subject"] = self.subject(document, chosen, told)
        told["lead"] = self._line(own.get("lead") or "", told)
        told["steps"] = self._lines(own.get("steps") or (), told)
        told["paragraphs"] = self._lines(own.get("paragraphs") or (), told)
        text, html = (own.get(kind) or document.get(kind) for kind in ("text", "html"))
        if layout != "none":
            text, html = (each or f'{{% include "{layout}" %}}' for each in (text, html))
        name = (variables.get("account") or {}).get("name") or ""
        return {
            "subject": told["subject"],
            "text": _tidy(self._text(text or "", told, LONGEST_TEXT, "the text")) + "\n",
            "html": self._html(html, told) if html else None,
            "lead": f"{name} {told['lead']}".strip() if layout == "brief" else told["lead"],
            "points": told["steps"][:MOST_POINTS],
            "attachments": [self._attachment(each, told) for each in document.get("attachments") or ()],
        }

    def subject(self, document: Document, chosen: str, told: Mapping[str, Any]) -> str:
        """In one line, cut where it is too long to be read anyway."""
        subject = self._line(document["locales"][chosen].get("subject") or "", told)
        return subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 1] + "…"

    def _line(self, source: str, told: Mapping[str, Any]) -> str:
        return " ".join(self._text(source, told, LONGEST_TEXT, "a line").split())

    def _lines(self, sources: Iterable[str], told: Mapping[str, Any]) -> list[str]:
        """Those that say something."""
        return [line for each in sources if (line := self._line(each, told))]

    def _attachment(self, attachment: Mapping[str, str], told: Mapping[str, Any]) -> dict[str, str]:
        html = attachment["media_type"] in ("text/html", "application/xhtml+xml", "image/svg+xml")
        body = self._run(attachment["body"], told, LONGEST_ATTACHMENT, "an attachment", html=html)
        return {
            "name": self._line(attachment["name"], told),
            "media_type": attachment["media_type"],
            "body": body,
        }

    def _text(self, source: str, told: Mapping[str, Any], limit: int, what: str) -> str:
        return self._run(source, told, limit, what, html=False)

    def _html(self, source: str, told: Mapping[str, Any]) -> str:
        return self._run(source, told, LONGEST_HTML, "the HTML", html=True).strip() + "\n"

    def _run(self, source: str, told: Mapping[str, Any], limit: int, what: str, *, html: bool) -> str:
        """The output, made piece by piece so that it cannot outgrow its limit by much."""
        if "{" not in source:
            return source
        made, done = self._template(source, html=html).generate(told), ""
        while pieces := list(islice(made, _PIECES)):
            done += "".join(pieces)
            if len(done) > limit:
                raise RefusedError(f"{what} is longer than {limit} characters")
        return done

    def _template(self, source: str, *, html: bool) -> Template:
        found = self._compiled.get((html, source))
        if found is None:
            found = (self._rich if html else self._plain).from_string(source)
            self._compiled[html, source] = found
        return found


class _Sandbox(ImmutableSandboxedEnvironment):
    """Members of plain data are looked up as what they are; the checks of the sandbox are for everything else."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As `obj.attribute` in a template."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        if type(obj) is Bar and attribute in _OF_BAR:
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)


def _environment(
    locale: str, partials: Mapping[str, Document], *, html: bool
) -> ImmutableSandboxedEnvironment:
    def load(name: str) -> str | None:
        partial = partials.get(name)
        if partial is None:
            return None
        kind = "html" if html else "text"
        own = partial["locales"].get(choose(partial, locale), {})
        return own.get(kind) or partial.get(kind) or ""

    environment = _Sandbox(
        loader=FunctionLoader(load),
        autoescape=html,
        undefined=StrictUndefined,
        finalize=lambda value: "" if value is None else value,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals = {"range": safe_range, "namespace": Namespace}
    environment.filters.update(Language(locale).filters)
    for each in _REFUSED_FILTERS:
        environment.filters.pop(each, None)
    return environment


def _filled(document: Document, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables with the document's defaults for fields that are missing or empty."""
    filled = dict(variables)
    for name, field in (document.get("fields") or {}).items():
        head, _, member = name.partition(".")
        if not member:
            if _empty(filled.get(head)):
                filled[head] = field.get("default")
        elif isinstance(filled.get(head) or {}, Mapping) and _empty((filled.get(head) or {}).get(member)):
            filled[head] = {**(filled.get(head) or {}), member: field.get("default")}
    return filled


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _tidy(text: str) -> str:
    """No spaces at the ends of lines, and never more than one empty line."""
    lines = [each.rstrip() for each in text.strip().splitlines()]
    return "\n".join(line for at, line in enumerate(lines) if line or lines[at - 1])
