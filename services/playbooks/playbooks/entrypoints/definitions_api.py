"""REST for playbooks: write versions of them, have mistakes told, compare, put them in force, roll back, pause and archive."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from csm_common.errors import InvalidError
from csm_common.web.auth import require
from csm_common.web.body import read_body
from csm_common.web.uploads import LARGEST_DOCUMENT, YAML, document_of
from playbooks.application.actor import Actor
from playbooks.application.managing import Managing
from playbooks.application.managing_diff import Difference
from playbooks.application.managing_views import Card, Changed, Checked, Created, PlaybookSummary, Thrown
from playbooks.application.switching import Switching
from playbooks.entrypoints.actor import require_actor
from playbooks.entrypoints.lists import Reason

_LONGEST = 2_000
_NO_NUL = r"^[^\x00]*$"

Name = Annotated[str, Path(pattern=_NO_NUL, max_length=100, description="The playbook's name.")]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
VersionQuery = Annotated[int, Query(ge=1, le=2**31 - 1)]
NoteQuery = Annotated[
    str, Query(max_length=_LONGEST, pattern=_NO_NUL, description="Why: for those who come after you.")
]

# No route here tells anything of a single account, so keys limited to some accounts may read as well.
Reader = Depends(require("playbooks:read", limited=True))
Writer = Annotated[Actor, Depends(require_actor("playbooks:write"))]

Answers = dict[int | str, dict[str, Any]]

_UNKNOWN: Answers = {
    404: {"description": "No such playbook, or no such version of it; the message tells which there are."}
}
_NO_DOCUMENT: Answers = {400: {"description": "Not UTF-8."}, 413: {"description": "Larger than 256 kB."}}
_MISTAKEN: Answers = {
    200: {"model": Created, "description": "It was there already."},
    **_NO_DOCUMENT,
    400: {"description": "It cannot be used: `errors` has every mistake with its line, column and member."},
}
_REFUSED: Answers = {409: {"description": "It is archived, or there is nothing to go back to."}}
_AS_FILE: Answers = {200: {"content": {YAML: {"schema": {"type": "string"}}}}}

_DOCUMENT = document_of("A playbook", "/v1/playbooks/schema")


@dataclass(frozen=True, slots=True)
class PlaybookList:
    """All playbooks by name."""

    playbooks: list[PlaybookSummary]


class Note(BaseModel):
    """Why a version is put in force."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=_LONGEST, pattern=_NO_NUL)] = ""


class Activation(Note):
    """Which version goes in force, and why."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class Why(BaseModel):
    """Why something is paused or archived."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class MaybeWhy(BaseModel):
    """Why something goes on."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=500, pattern=_NO_NUL)] = ""


def create_definitions_router(managing: Managing, switching: Switching, schema: dict[str, Any]) -> APIRouter:
    """The routes under /v1/playbooks, and /v1/engine."""
    router = APIRouter(prefix="/v1", tags=["playbooks"])
    _add_reading(router, managing, schema)
    _add_writing(router, managing)
    _add_switching(router, switching)
    _add_engine(router, switching)
    return router


def _add_reading(router: APIRouter, managing: Managing, schema: dict[str, Any]) -> None:
    @router.get("/playbooks", dependencies=[Reader], summary="All playbooks, with what is in force of them")
    async def list_playbooks() -> PlaybookList:
        return PlaybookList(await managing.overview())

    @router.get(
        "/playbooks/schema", dependencies=[Reader], summary="The JSON Schema of a playbook, for editors"
    )
    async def get_schema() -> dict[str, Any]:
        return schema

    @router.get(
        "/playbooks/{name}",
        dependencies=[Reader],
        responses=_UNKNOWN,
        summary="A playbook's versions, when each was in force, and the runs that go by it",
    )
    async def get_playbook(name: Name) -> Card:
        return await managing.card(name)

    @router.get(
        "/playbooks/{name}/versions/{version}",
        dependencies=[Reader],
        summary="One version: JSON, or YAML",
        responses=_AS_FILE | _UNKNOWN,
    )
    async def get_version(
        name: Name,
        version: Version,
        request: Request,
        format: Annotated[Literal["json", "yaml"] | None, Query(description="Else told by Accept.")] = None,
    ) -> Response:
        found = await managing.version(name, version)
        if (format or ("yaml" if "yaml" in request.headers.get("accept", "") else "json")) == "yaml":
            return Response(managing.yaml(found), media_type=YAML)
        told = {"name": name, "version": version, "author": found.author, "note": found.note}
        body = told | {"created_at": found.created_at.isoformat(), "playbook": managing.plain(found)}
        return Response(json.dumps(body, ensure_ascii=False), media_type="application/json")

    @router.get(
        "/playbooks/{name}/diff",
        dependencies=[Reader],
        response_model=Difference,
        responses=_UNKNOWN,
        summary="What differs between two versions, member by member",
    )
    async def get_diff(
        name: Name, from_: Annotated[int, Query(alias="from", ge=1, le=2**31 - 1)], to: VersionQuery
    ) -> Response:
        found = await managing.difference(name, from_, to)
        return Response(json.dumps(asdict(found), ensure_ascii=False), media_type="application/json")


def _add_writing(router: APIRouter, managing: Managing) -> None:
    @router.post(
        "/playbooks:validate",
        dependencies=[Reader],
        summary="Tell every mistake of a document with its place, and keep nothing",
        responses=_NO_DOCUMENT,
        openapi_extra=_DOCUMENT,
    )
    async def validate(request: Request) -> Checked:
        text, is_json = await _document(request)
        return await managing.check(text, is_json=is_json)

    async def create(name: str | None, request: Request, writer: Actor, note: str) -> Response:
        text, is_json = await _document(request)
        made = await managing.create(name, text, writer, note, is_json=is_json)
        return JSONResponse(asdict(made), status_code=201 if made.created else 200)

    told: dict[str, Any] = {
        "description": "Versions never change: 201 with the number of a new one, 200 where one says the same. It starts nothing"
        " until it is activated.",
        "status_code": 201,
        "responses": _MISTAKEN,
        "response_model": Created,
        "openapi_extra": _DOCUMENT,
    }

    @router.post("/playbooks", summary="Keep a document as the next version of the playbook it names", **told)
    async def create_any(request: Request, writer: Writer, note: NoteQuery = "") -> Response:
        return await create(None, request, writer, note)

    @router.post("/playbooks/{name}/versions", summary="Keep a document as the next version", **told)
    async def create_version(name: Name, request: Request, writer: Writer, note: NoteQuery = "") -> Response:
        return await create(name, request, writer, note)

    @router.post(
        "/playbooks/{name}:activate",
        summary="Put a version in force: it starts the runs from now on; those in flight stay on theirs",
        responses=_UNKNOWN | _REFUSED,
    )
    async def activate(name: Name, activation: Activation, writer: Writer) -> Changed:
        return await managing.activate(name, activation.version, writer, activation.note)

    @router.post(
        "/playbooks/{name}:rollback",
        responses=_UNKNOWN | _REFUSED,
        summary="Put the version in force again that was before",
    )
    async def roll_back(name: Name, writer: Writer, why: Note | None = None) -> Changed:
        return await managing.roll_back(name, writer, why.note if why else "")


def _add_switching(router: APIRouter, switching: Switching) -> None:
    @router.post(
        "/playbooks/{name}:pause", responses=_UNKNOWN, summary="Start nothing of it, and take no step"
    )
    async def pause(name: Name, why: Why, writer: Writer) -> Thrown:
        return await switching.pause(name, why.reason, writer)

    @router.post(
        "/playbooks/{name}:archive", responses=_UNKNOWN, summary="Start nothing of it any more; runs finish"
    )
    async def archive(name: Name, why: Why, writer: Writer) -> Thrown:
        return await switching.archive(name, why.reason, writer)

    @router.post(
        "/playbooks/{name}:resume", responses=_UNKNOWN, summary="Go on, paused or archived as it was"
    )
    async def resume(name: Name, writer: Writer, why: MaybeWhy | None = None) -> Thrown:
        return await switching.resume(name, why.reason if why else "", writer)


def _add_engine(router: APIRouter, switching: Switching) -> None:
    @router.get("/engine", dependencies=[Reader], summary="Whether everything is paused, by whom and why")
    async def get_engine() -> Thrown:
        return await switching.engine()

    @router.post("/engine:pause", summary="Pause all playbooks at once: nothing starts, no step is taken")
    async def pause_engine(why: Why, writer: Writer) -> Thrown:
        return await switching.pause_engine(why.reason, writer)

    @router.post("/engine:resume", summary="Go on; playbooks that are paused by themselves stay so")
    async def resume_engine(writer: Writer, why: MaybeWhy | None = None) -> Thrown:
        return await switching.resume_engine(why.reason if why else "", writer)


async def _document(request: Request) -> tuple[str, bool]:
    """The text of the body, and whether it is JSON."""
    body = await read_body(request, LARGEST_DOCUMENT)
    try:
        return body.decode(), "json" in request.headers.get("content-type", "")
    except UnicodeDecodeError as broken:
        raise InvalidError("The document is not UTF-8.", code="not_utf8") from broken
