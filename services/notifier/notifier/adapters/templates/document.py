"""A template or a partial as people write it: what members there are, what they mean, and where a mistake is."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails

from csm_common.yaml_document import BrokenDocumentError, YamlDocument
from notifier.application.template_mistakes import Mistake, MistakenError

ID = "urn:csm:message-template:1"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
LocaleTag = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z]{4})?(-[A-Z]{2})?$")]
Text = Annotated[str, Field(max_length=100_000)]
Line = Annotated[str, Field(max_length=2_000)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class OwnField(_Model):
    """A field that the request's context may have beside those that every message has."""

    default: str | int | float | bool | None = Field(
        default=None, description="What it is where it is missing or empty."
    )
    description: Line = ""


class Attachment(_Model):
    """A file that goes along; its body is a template as well."""

    name: Line = Field(min_length=1, description="Such as report.csv; may be a template.")
    media_type: str = Field(pattern=r"^(text|application|image)/[a-z0-9.+-]+$")
    body: Text


class Words(_Model):
    """What it says in one language. Each text is a Jinja template."""

    subject: Line | None = Field(default=None, description="One line; longer than 200 characters is cut.")
    lead: Line | None = Field(
        default=None, description="One sentence; of a brief it goes on from the account's name."
    )
    steps: list[Line] | None = Field(
        default=None, max_length=50, description="What to do; one that comes out empty is left out."
    )
    paragraphs: list[Text] | None = Field(default=None, max_length=100, description="What a letter says.")
    text: Text | None = Field(default=None, description="The plain body, in place of the layout's.")
    html: Text | None = Field(
        default=None, description="The HTML body, in place of the layout's; fields are escaped."
    )
    words: dict[Name, Line] | None = Field(
        default=None, description="Words that bodies use as `words.NAME`; a template's replace a partial's."
    )


class _Document(_Model):
    name: Name
    title: Line = Field(min_length=1, description="For those who choose it.")
    default: LocaleTag = Field(default="en", description="The language where the reader's is not there.")
    text: Text | None = Field(default=None, description="A plain body for all languages.")
    html: Text | None = Field(default=None, description="An HTML body for all languages.")
    locales: dict[LocaleTag, Words] = Field(min_length=1, description="`en`, `de`, or `de-AT`.")

    @model_validator(mode="after")
    def _has_default(self) -> "_Document":
        if self.default not in self.locales:
            raise ValueError(f"locales must have the default, {self.default}")
        return self


class Template(_Document):
    """A message: what it says in every language, and how it is laid out."""

    kind: Literal["template"] = "template"
    layout: Literal["brief", "letter", "none"] = Field(
        default="none",
        description="brief: to our own people, with health, trend, reasons and steps. letter: to customers.",
    )
    tone: Literal["critical", "warning", "good", "info", "neutral"] = "neutral"
    fields: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")], OwnField] | None = (
        Field(
            default=None,
            description="Own fields such as `discount` or `account.industry`, and defaults for known ones.",
        )
    )
    attachments: list[Attachment] | None = Field(default=None, max_length=5)


class Partial(_Document):
    """A piece that templates include by its name: a text part, an HTML part, and words for both."""

    kind: Literal["partial"]


_template, _partial = TypeAdapter(Template), TypeAdapter(Partial)


_SENTENCES = {"extra_forbidden": "there is no such member", "missing": "is missing"}


class ReadDocument:
    """A document that was read, with the way back to its text. MistakenError has every mistake of its shape."""

    def __init__(self, text: str, source: str, *, is_json: bool = False) -> None:
        self.text, self._source = text, source
        try:
            self._yaml = YamlDocument(text, is_json=is_json)
        except BrokenDocumentError as broken:
            mistake = Mistake(broken.line, broken.column, "template", str(broken))
            raise MistakenError([mistake], source) from broken
        value = self._yaml.value
        kind = value.get("kind") if isinstance(value, dict) else None
        try:
            read = (_partial if kind == "partial" else _template).validate_python(value)
        except ValidationError as error:
            found = sorted(
                {self._refused(each) for each in error.errors(include_url=False)}, key=Mistake.place
            )
            raise MistakenError(found, source) from error
        self.plain: dict[str, Any] = read.model_dump(mode="json", exclude_none=True)
        if wrong := list(self._missing()):
            raise MistakenError(wrong, source)

    @property
    def written(self) -> str:
        """As a file: the text itself, and of JSON the same as YAML."""
        if self.text.lstrip().startswith("{"):
            return yaml.safe_dump(self.plain, sort_keys=False, allow_unicode=True, width=120)
        return self.text

    def mistake(self, place: tuple[str | int, ...], line: int, near: str, message: str) -> Mistake:
        """A mistake in a text: in that line of it (from 1, 0 for the whole), at the word `near` where it is found."""
        row, column = self._yaml.position(place)
        if line:
            row, column = self._inside(row, column, line, near)
        return Mistake(row, column, ".".join(map(str, place)) or "template", message)

    def _inside(self, row: int, column: int, line: int, near: str) -> tuple[int, int]:
        lines = self.text.splitlines()
        block = lines[row - 1][column - 1 : column] in ("|", ">")
        at = row + line - (0 if block else 1)
        rows = range(at, min(at + 1 + 20 * (not block or line == 1), len(lines) + 1)) if near else ()
        for each in rows:
            start = column - 1 if each == row else 0
            found = lines[each - 1].find(near, start)
            if found >= 0:
                return each, found + 1
        if at > len(lines):
            return row, column
        told = lines[at - 1]
        return at, (column if at == row else len(told) - len(told.lstrip()) + 1)

    def _refused(self, error: ErrorDetails) -> Mistake:
        place = tuple(each for each in error["loc"] if each != "[key]")
        of_name = error["type"] == "extra_forbidden" or "[key]" in error["loc"]
        position = self._yaml.key_position(place) if of_name and place else self._yaml.position(place)
        message = _SENTENCES.get(error["type"], error["msg"])
        message = message.removeprefix("Value error, ").replace("Input should be", "must be")
        return Mistake(*position, ".".join(map(str, place)) or "template", message)

    def _missing(self) -> Iterator[Mistake]:
        """What a message cannot do without."""
        document = self.plain
        if document["kind"] == "partial":
            return
        for locale, words in document["locales"].items():
            place = ("locales", locale)
            if not words.get("subject"):
                yield self.mistake(place, 0, "", "a message needs a subject")
            if not (words.get("text") or document.get("text") or document["layout"] != "none"):
                yield self.mistake(
                    place, 0, "", "a text part is missing: give text, or a layout that has one"
                )
            if document["layout"] == "letter" and not words.get("paragraphs"):
                yield self.mistake(place, 0, "", "a letter needs paragraphs")
            if document["layout"] == "brief" and not words.get("lead"):
                yield self.mistake(place, 0, "", "a brief needs a lead")


@cache
def template_schema() -> Mapping[str, Any]:
    """JSON Schema 2020-12, for editors. What the texts may say is told by validating a file."""
    schema = TypeAdapter(Template | Partial).json_schema(ref_template="#/$defs/{model}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Message template",
        **schema,
    }
