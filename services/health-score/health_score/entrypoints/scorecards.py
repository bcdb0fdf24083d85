"""REST for scorecards: write versions of them, have mistakes told, compare, activate, roll back, and see how far that has got."""

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from csm_common.errors import InvalidError
from csm_common.web.auth import Principal, require
from csm_common.web.body import read_body
from csm_common.web.uploads import LARGEST_DOCUMENT, YAML, document_of
from health_score.application.scorecard_diff import Difference
from health_score.application.scorecard_file import plain_data
from health_score.application.scorecard_places import Mistake
from health_score.application.scorecard_schema import scorecard_schema
from health_score.application.scorecard_views import (
    CardSummary,
    Changed,
    Created,
    Order,
    Progress,
    VersionInfo,
)
from health_score.application.scorecards import Scorecards
from health_score.entrypoints.answers import NO_NUL
from health_score.entrypoints.documented import DENIED, INVALID, Answers

_LONGEST = 2_000

Name = Annotated[str, Path(pattern=NO_NUL, max_length=100, description="The scorecard's name.")]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
Note = Annotated[
    str, Query(max_length=_LONGEST, pattern=NO_NUL, description="Why: for those who come after you.")
]

# No route here tells anything of a single account, so keys limited to some accounts may read as well.
Reader = Depends(require("health:read", limited=True))
Writer = Annotated[Principal, Depends(require("scorecards:write"))]

_UNKNOWN: Answers = {
    404: {"description": "No such scorecard, or no such version of it; the message tells which there are."}
}
_NO_DOCUMENT: Answers = {
    400: {"description": "Not UTF-8."},
    413: {"description": "Larger than 256 kB."},
}
_AS_GIVEN: Answers = {200: {"content": {YAML: {"schema": {"type": "string"}}}}}
_MISTAKEN: Answers = {
    200: {"model": Created, "description": "It was there already."},
    **_NO_DOCUMENT,
    400: {"description": "It cannot be used: `errors` has every mistake with its path, line and column."},
    409: {"description": "Versions never change, and none is skipped: the message tells the next number."},
}
_REFUSED: Answers = {
    409: {"description": "It would leave accounts without a scorecard, or there is nothing to go back to."}
}

_DOCUMENT = document_of("A scorecard", "/v1/scorecards/schema")


@dataclass(frozen=True, slots=True)
class CardList:
    """Those in force first, in the order in which they are asked whether they apply."""

    scorecards: list[CardSummary]


@dataclass(frozen=True, slots=True)
class Card:
    """A scorecard with its versions, oldest first."""

    name: str
    active_version: int | None
    versions: list[VersionInfo]


@dataclass(frozen=True, slots=True)
class Verdict:
    """All mistakes in the order of the document; there are none in one that is valid."""

    valid: bool
    mistakes: list[Mistake]


class Reason(BaseModel):
    """Why the model is changed."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=_LONGEST, pattern=NO_NUL)] = ""
    outreach: Annotated[
        bool, Field(description="Whether the crossings that this brings may start playbooks.")
    ] = False


class Activation(Reason):
    """Which version goes in force, and why."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


def create_scorecards_router(scorecards: Scorecards) -> APIRouter:
    """The routes under /v1/scorecards, and /v1/models."""
    router = APIRouter(prefix="/v1", tags=["scorecards"], responses=DENIED | INVALID)
    _add_reading(router, scorecards)
    _add_writing(router, scorecards)
    _add_changing(router, scorecards)
    return router


def _add_reading(router: APIRouter, scorecards: Scorecards) -> None:
    @router.get("/scorecards", dependencies=[Reader], summary="Scorecards, those in force first")
    async def list_scorecards() -> CardList:
        return CardList(await scorecards.overview())

    @router.get(
        "/scorecards/schema", dependencies=[Reader], summary="The JSON Schema of a scorecard, for editors"
    )
    async def get_schema() -> dict[str, Any]:
        return scorecard_schema()

    @router.get(
        "/scorecards/{name}",
        dependencies=[Reader],
        responses=_UNKNOWN,
        summary="A scorecard's versions and when each was in force",
    )
    async def get_scorecard(name: Name) -> Card:
        versions = await scorecards.versions(name)
        active = next((each.version for each in versions if each.active), None)
        return Card(name, active, versions)

    @router.get(
        "/scorecards/{name}/versions/{version}",
        dependencies=[Reader],
        summary="One version: JSON, or the YAML as it was given",
        responses=_AS_GIVEN | _UNKNOWN,
    )
    async def get_version(
        name: Name,
        version: Version,
        request: Request,
        format: Annotated[Literal["json", "yaml"] | None, Query(description="Else told by Accept.")] = None,
    ) -> Response:
        found = await scorecards.version(name, version)
        if (format or ("yaml" if "yaml" in request.headers.get("accept", "") else "json")) == "yaml":
            return Response(found.document, media_type=YAML)
        told = {"name": name, "version": version, "author": found.author, "note": found.note}
        # Not msgspec: the keys of curves and tables are numbers and truth values, which JSON wants as text.
        body = told | {"created_at": found.created_at.isoformat(), "scorecard": plain_data(found.document)}
        return Response(json.dumps(body, ensure_ascii=False), media_type="application/json")

    @router.get(
        "/scorecards/{name}/diff",
        dependencies=[Reader],
        response_model=Difference,
        responses=_UNKNOWN,
        summary="What differs between two versions, piece by piece",
    )
    async def get_diff(
        name: Name,
        from_: Annotated[int, Query(alias="from", ge=1, le=2**31 - 1)],
        to: Annotated[int, Query(ge=1, le=2**31 - 1)],
    ) -> Response:
        found = await scorecards.difference(name, from_, to)
        return Response(json.dumps(asdict(found), ensure_ascii=False), media_type="application/json")

    @router.get("/models", dependencies=[Reader], summary="How far the newest change of the model has got")
    async def get_progress() -> Progress:
        return await scorecards.progress()


def _add_writing(router: APIRouter, scorecards: Scorecards) -> None:
    @router.post(
        "/scorecards:validate",
        dependencies=[Reader],
        summary="Tell every mistake of a document with its place, and keep nothing",
        responses=_NO_DOCUMENT,
        openapi_extra=_DOCUMENT,
    )
    async def validate(request: Request) -> Verdict:
        text, is_json = await _document(request)
        mistakes = await asyncio.to_thread(scorecards.mistakes, text, json=is_json)
        return Verdict(not mistakes, [*mistakes])

    @router.post(
        "/scorecards",
        summary="Keep a document as the next version",
        description="Versions never change: 201 with the number of a new one, 200 where the very same document is there.",
        status_code=201,
        responses=_MISTAKEN,
        response_model=Created,
        openapi_extra=_DOCUMENT,
    )
    async def create(request: Request, writer: Writer, note: Note = "") -> Response:
        text, is_json = await _document(request)
        made = await scorecards.create(text, Order(writer.source, note), json=is_json)
        return JSONResponse(asdict(made), status_code=201 if made.created else 200)


def _add_changing(router: APIRouter, scorecards: Scorecards) -> None:
    @router.post(
        "/scorecards/{name}:activate",
        summary="Put a version in force: every account it concerns is judged anew, without a stop",
        responses=_UNKNOWN | _REFUSED,
    )
    async def activate(name: Name, activation: Activation, writer: Writer) -> Changed:
        return await scorecards.activate(name, activation.version, _order(writer, activation))

    @router.post(
        "/scorecards/{name}:rollback",
        responses=_UNKNOWN | _REFUSED,
        summary="Put the version in force again that was before",
    )
    async def roll_back(name: Name, writer: Writer, reason: Reason | None = None) -> Changed:
        return await scorecards.roll_back(name, _order(writer, reason))

    @router.post(
        "/scorecards/{name}:retire",
        responses=_UNKNOWN | _REFUSED,
        summary="Take a scorecard out of force; others judge its accounts",
    )
    async def retire(name: Name, writer: Writer, reason: Reason | None = None) -> Changed:
        return await scorecards.retire(name, _order(writer, reason))


def _order(writer: Principal, reason: Reason | None) -> Order:
    told = reason or Reason()
    return Order(writer.source, told.note, told.outreach)


async def _document(request: Request) -> tuple[str, bool]:
    """The text of the body, and whether it is JSON."""
    body = await read_body(request, LARGEST_DOCUMENT)
    try:
        return body.decode(), "json" in request.headers.get("content-type", "")
    except UnicodeDecodeError as broken:
        raise InvalidError("The document is not UTF-8.", code="not_utf8") from broken
