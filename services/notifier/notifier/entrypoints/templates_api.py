"""REST for message templates: read them, write versions, put them in force, look at them, and send one to oneself."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from csm_common.errors import InvalidError
from csm_common.web.auth import Principal, require
from csm_common.web.body import read_body
from csm_common.web.etags import conditional, etag_of
from csm_common.web.uploads import LARGEST_DOCUMENT, YAML, document_of
from notifier.application.template_ports import Changed, Checked, Created, StoredVersion
from notifier.application.template_tests import TemplateTests, TestSent
from notifier.application.templating import Templating
from notifier.entrypoints.template_bodies import (
    LONGEST,
    NO_NUL,
    Activation,
    AttachmentView,
    LookBody,
    Preview,
    TemplateDifference,
    TemplateList,
    TemplateSummary,
    TemplateVersions,
    TestBody,
    VersionInfo,
)

Name = Annotated[str, Path(pattern=NO_NUL, max_length=100, description="The template's or partial's name.")]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
VersionQuery = Annotated[int, Query(ge=1, le=2**31 - 1)]
NoteQuery = Annotated[
    str, Query(max_length=LONGEST, pattern=NO_NUL, description="Why: for those who come after you.")
]
Reader = Depends(require("notifications:read"))
Writer = Annotated[Principal, Depends(require("templates:write"))]
Sender = Annotated[Principal, Depends(require("notifications:write"))]
Answers = dict[int | str, dict[str, Any]]

_UNKNOWN: Answers = {
    404: {"description": "No such template, version or notification; the message tells which there are."}
}
_NO_DOCUMENT: Answers = {400: {"description": "Not UTF-8."}, 413: {"description": "Larger than 256 kB."}}
_MISTAKEN: Answers = {
    200: {"model": Created, "description": "It was there already."},
    **_NO_DOCUMENT,
    400: {"description": "It cannot be used: `errors` has every mistake with its line, column and member."},
}
_AS_FILE: Answers = {200: {"content": {YAML: {"schema": {"type": "string"}}}}}
_AS_PAGE: Answers = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}
_UNRENDERED: Answers = {400: {"description": "It cannot be rendered with this; the message tells why."}}
_DOCUMENT = document_of("A template or a partial", "/v1/templates/schema")

# What a template wrote is shown as it is, and may do nothing: no scripts, no requests.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


def template_routes(templating: Templating, tests: TemplateTests, schema: Mapping[str, Any]) -> APIRouter:
    """The routes under /v1/templates."""
    router = APIRouter(prefix="/v1", tags=["templates"])
    _add_reading(router, templating, schema)
    _add_writing(router, templating)
    _add_looking(router, templating, tests)
    return router


def _add_reading(router: APIRouter, templating: Templating, schema: Mapping[str, Any]) -> None:
    @router.get(
        "/templates",
        dependencies=[Reader],
        summary="All templates and partials, with what is in force of them",
    )
    async def list_templates() -> TemplateList:
        return TemplateList(_summaries(await templating.all()))

    @router.get(
        "/templates/schema", dependencies=[Reader], summary="The JSON Schema of a template, for editors"
    )
    async def get_schema() -> Mapping[str, Any]:
        return schema

    async def told(name: str, version: int | None, request: Request, format: str | None) -> Response:
        found = await templating.version(name, version)
        as_yaml = (format or ("yaml" if "yaml" in request.headers.get("accept", "") else "json")) == "yaml"
        body = found.source.encode() if as_yaml else _json(found)
        response = Response(body, media_type=YAML if as_yaml else "application/json")
        return conditional(request, response, etag_of(body))

    format_query = Annotated[Literal["json", "yaml"] | None, Query(description="Else told by Accept.")]

    @router.get(
        "/templates/{name}", dependencies=[Reader], responses=_AS_FILE | _UNKNOWN,
        summary="What is in force: JSON, or YAML, with an ETag",
    )  # fmt: skip
    async def get_template(name: Name, request: Request, format: format_query = None) -> Response:
        return await told(name, None, request, format)

    @router.get(
        "/templates/{name}/versions",
        dependencies=[Reader],
        responses=_UNKNOWN,
        summary="Its versions, oldest first",
    )
    async def get_versions(name: Name) -> TemplateVersions:
        return TemplateVersions(name, [_info(each) for each in await templating.versions(name)])

    @router.get(
        "/templates/{name}/versions/{version}", dependencies=[Reader], responses=_AS_FILE | _UNKNOWN,
        summary="One version: JSON, or YAML",
    )  # fmt: skip
    async def get_version(
        name: Name, version: Version, request: Request, format: format_query = None
    ) -> Response:
        return await told(name, version, request, format)

    @router.get(
        "/templates/{name}/diff",
        dependencies=[Reader],
        responses=_UNKNOWN,
        summary="What differs between two versions",
    )
    async def get_diff(
        name: Name, from_: Annotated[int, Query(alias="from", ge=1, le=2**31 - 1)], to: VersionQuery
    ) -> TemplateDifference:
        return TemplateDifference(await templating.difference(name, from_, to))


def _add_writing(router: APIRouter, templating: Templating) -> None:
    @router.post(
        "/templates:validate", dependencies=[Reader], responses=_NO_DOCUMENT, openapi_extra=_DOCUMENT,
        summary="Tell every mistake of a document with its place, and keep nothing",
    )  # fmt: skip
    async def validate(request: Request) -> Checked:
        text, is_json = await _document(request)
        return await templating.check(text, is_json=is_json)

    async def create(name: str | None, request: Request, writer: Principal, note: str) -> Response:
        text, is_json = await _document(request)
        made = await templating.create(name, text, _actor(writer), note, is_json=is_json)
        told = {"name": made.name, "version": made.version, "created": made.created}
        return JSONResponse(told, status_code=201 if made.created else 200)

    told: dict[str, Any] = {
        "description": "Versions never change: 201 with the number of a new one, 200 where one says the same. Nothing is sent"
        " by it until it is activated.",
        "status_code": 201,
        "responses": _MISTAKEN,
        "response_model": Created,
        "openapi_extra": _DOCUMENT,
    }

    @router.post("/templates", summary="Keep a document as the next version of the name it has", **told)
    async def create_any(request: Request, writer: Writer, note: NoteQuery = "") -> Response:
        return await create(None, request, writer, note)

    @router.post("/templates/{name}/versions", summary="Keep a document as the next version", **told)
    async def create_version(name: Name, request: Request, writer: Writer, note: NoteQuery = "") -> Response:
        return await create(name, request, writer, note)

    @router.post(
        "/templates/{name}:activate",
        responses=_UNKNOWN,
        summary="Put a version in force: within a second every message is rendered by it",
    )
    async def activate(name: Name, activation: Activation, writer: Writer) -> Changed:
        return await templating.activate(name, activation.version, _actor(writer), activation.note)


def _add_looking(router: APIRouter, templating: Templating, tests: TemplateTests) -> None:
    @router.post(
        "/templates/{name}:preview", dependencies=[Reader], responses=_AS_PAGE | _UNKNOWN | _UNRENDERED,
        response_model=Preview, summary="The words as somebody would get them; as a page for a browser with format=html",
    )  # fmt: skip
    async def preview(
        name: Name,
        body: LookBody | None = None,
        format: Annotated[
            Literal["json", "html", "text"], Query(description="html is the page itself.")
        ] = "json",
    ) -> Any:
        words = (await templating.preview(name, (body or LookBody()).look)).words
        if format == "html":
            return HTMLResponse(words.html or "", headers=_PAGE_HEADERS)
        if format == "text":
            return Response(words.text, media_type="text/plain; charset=utf-8")
        attachments = [
            AttachmentView(each.name, each.media_type, len(each.content)) for each in words.attachments
        ]
        return Preview(words.subject, words.text, words.html, words.lead, words.points, attachments)

    @router.post(
        "/templates/{name}:test-send",
        responses=_UNKNOWN | _UNRENDERED,
        summary="Send it to yourself, marked as a test, and hear what the mail server says",
    )
    async def test_send(name: Name, body: TestBody, sender: Sender) -> TestSent:
        return await tests.send(name, body.to, body.look, _actor(sender))


def _summaries(shown: Sequence[StoredVersion]) -> list[TemplateSummary]:
    newest = {each.name: each for each in shown}
    active = {each.name: each for each in shown if each.active}
    return [
        _summary(active.get(name) or newest[name], name in active, newest[name].version)
        for name in sorted(newest)
    ]


def _summary(told: StoredVersion, in_force: bool, newest: int) -> TemplateSummary:
    locales = sorted(told.document["locales"])
    active = told.version if in_force else None
    layout = told.document.get("layout")
    return TemplateSummary(told.name, told.kind, told.title, layout, locales, active, newest, told.origin)


def _info(stored: StoredVersion) -> VersionInfo:
    return VersionInfo(
        stored.version, stored.active, stored.origin, stored.author, stored.note, stored.created_at
    )


def _json(stored: StoredVersion) -> bytes:
    told = {"name": stored.name, "version": stored.version, "active": stored.active, "author": stored.author}
    body = told | {
        "note": stored.note,
        "created_at": stored.created_at.isoformat(),
        "template": stored.document,
    }
    return json.dumps(body, ensure_ascii=False).encode()


def _actor(principal: Principal) -> str:
    return f"key:{principal.source}"


async def _document(request: Request) -> tuple[str, bool]:
    """The text of the body, and whether it is JSON."""
    body = await read_body(request, LARGEST_DOCUMENT)
    try:
        return body.decode(), "json" in request.headers.get("content-type", "")
    except UnicodeDecodeError as broken:
        raise InvalidError("The document is not UTF-8.", code="not_utf8") from broken
