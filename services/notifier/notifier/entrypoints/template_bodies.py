"""What goes in and out of the routes of message templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from csm_common.web.uploads import LARGEST_DOCUMENT
from notifier.application.templating import Look

NO_NUL = r"^[^\x00]*$"
LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class TemplateSummary:
    """A template or partial in the list; `active_version` is None where none is in force."""

    name: str
    kind: Literal["template", "partial"]
    title: str
    layout: str | None
    locales: Sequence[str]
    active_version: int | None
    newest_version: int
    origin: Literal["file", "rest"]


@dataclass(frozen=True, slots=True)
class TemplateList:
    """All of them by name."""

    templates: Sequence[TemplateSummary]


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """A version: who wrote it, when and why."""

    version: int
    active: bool
    origin: Literal["file", "rest"]
    author: str
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TemplateVersions:
    """All versions, oldest first."""

    name: str
    versions: Sequence[VersionInfo]


@dataclass(frozen=True, slots=True)
class TemplateDifference:
    """As `diff -u` says it; empty where they say the same."""

    text: str


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A file that goes along."""

    name: str
    media_type: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The words of a template; `lead` and `points` are what a chat shows beside the subject."""

    subject: str
    text: str
    html: str | None
    lead: str
    points: Sequence[str]
    attachments: Sequence[AttachmentView]


class Activation(BaseModel):
    """Which version goes in force, and why."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    note: Annotated[str, Field(max_length=LONGEST, pattern=NO_NUL)] = ""


class LookBody(BaseModel):
    """What to look at, and in which language. With neither `context` nor `notification_id`, a full sample."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"locale": "de-AT", "context": {"account": {"name": "Acme"}, "score": 44}}]
        },
    )

    locale: Annotated[str | None, Field(max_length=35, pattern=r"^[A-Za-z0-9_-]*$")] = None
    version: Annotated[int | None, Field(ge=1, le=2**31 - 1, description="Else the one in force.")] = None
    source: Annotated[
        str | None, Field(max_length=LARGEST_DOCUMENT, description="A YAML document that is not saved yet.")
    ] = None
    context: Annotated[dict[str, Any] | None, Field(description="As playbooks send it.")] = None
    notification_id: Annotated[str | None, Field(max_length=200, pattern=NO_NUL)] = None

    @property
    def look(self) -> Look:
        """As the use cases have it."""
        told = self.model_dump(exclude={"to"})
        return Look(**told)


class TestBody(LookBody):
    """The same, and where to send it. The address is kept nowhere."""

    __test__ = False

    to: Annotated[str, Field(max_length=254, description="Your address.")]
