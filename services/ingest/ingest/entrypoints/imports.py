"""REST for bulk imports: a file is the body of one request, however long, and a job tells how far it is."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from csm_common.clock import Clock
from csm_common.errors import NotFoundError
from csm_common.web.auth import require
from csm_common.web.pages import decode_cursor, encode_cursor
from csm_common.web.problems import problem
from ingest.application.budget import Budget
from ingest.application.imports.importing import Importing
from ingest.application.imports.job import (
    Format,
    ImportInterruptedError,
    ImportJob,
    ImportOrder,
    SenderGoneError,
    SenderSilentError,
)
from ingest.application.imports.leaving import Leaving
from ingest.application.imports.ports import JobKey, Jobs
from ingest.domain.attributes import LONGEST
from ingest.entrypoints.lists import NO_NUL, Cursor, KeyText, KeyTime, Limit, plausible, refusals

NDJSON, CSV = "application/x-ndjson", "text/csv"

_FORMATS: dict[str, Format] = {
    NDJSON: "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/json-lines": "ndjson",
    CSV: "csv",
    "application/csv": "csv",
}
_ID = r"^[A-Za-z0-9._-]{1,100}$"

_EVENT = (
    '{"id":"e-1","source":"crm","type":"csm.usage.recorded","subject":"acme","time":"2026-03-02T09:00:00Z",'
    '"data":{"feature":"reports"}}\n'
)
_ROWS = (
    "type,subject,time,data.feature,data.quantity\ncsm.usage.recorded,acme,2026-03-02T09:00:00Z,reports,3\n"
)
_FILE = {"type": "string", "minLength": 1, "description": "May be packed with gzip; the bytes tell."}
_ABOUT = (
    "JSON Lines with one CloudEvent a line, or CSV whose header names attributes and data fields (`data.feature`)."
    " The file is taken while it arrives, and the answer comes when all of it is durable; lines that are wrong are kept among"
    " the rejections. The same file sent again counts nothing twice, so after any failure send it again.\n\n"
    f"```\n{_EVENT}```\n\n```\n{_ROWS}```"
)
_REQUEST_BODY = {
    "required": True,
    "content": {
        NDJSON: {"schema": _FILE},
        CSV: {"schema": _FILE},
        "application/octet-stream": {"schema": _FILE | {"format": "binary"}},
    },
}


@dataclass(frozen=True, slots=True)
class ImportPage:
    """Imports, the newest first; pass `next_cursor` on for the next page, None at the end."""

    imports: Sequence[ImportJob]
    next_cursor: str | None


def import_routes(
    importing: Importing, jobs: Jobs, budget: Budget, clock: Clock, *, idle_s: float
) -> APIRouter:
    """POST and GET /v1/imports, GET /v1/imports/{id}. `idle_s` is how long a sender may send nothing."""
    router = APIRouter(prefix="/v1/imports", tags=["imports"], responses=refusals(400, 401, 403, 422, 503))

    @router.post(
        "",
        summary="Import a file",
        description=_ABOUT,
        dependencies=[Depends(require("events:write"))],
        responses=refusals(408, 409, 413),
        response_model=ImportJob,
        openapi_extra={"requestBody": _REQUEST_BODY},
    )
    async def post_import(
        request: Request,
        source: Annotated[
            str | None,
            Query(
                min_length=1,
                max_length=LONGEST["source"],
                pattern=NO_NUL,
                description="For lines that tell none.",
            ),
        ] = None,
        type: Annotated[
            str | None,
            Query(
                min_length=1,
                max_length=LONGEST["type"],
                pattern=NO_NUL,
                description="For lines that tell none.",
            ),
        ] = None,
        backfill: Annotated[bool, Query(description="History: it counts, and announces nothing.")] = False,
        format: Annotated[
            Format | None, Query(description="Else told by the content type or the first byte.")
        ] = None,
        id: Annotated[
            str | None, Query(pattern=_ID, description="A name of your own for the import.")
        ] = None,
    ) -> ImportJob | Response:
        order = ImportOrder(
            id=id or uuid4().hex,
            format=format or _told_format(request),
            source=source,
            type=type,
            backfill=backfill,
        )
        with budget.hold() as hold:
            try:
                return await importing.run(order, _chunks(request, importing.leaving, idle_s), hold)
            except ImportInterruptedError as error:
                return _interrupted(error)

    @router.get("", summary="Imports, the newest first", dependencies=[Depends(require("ingest:read"))])
    async def imports(limit: Limit = 50, cursor: Cursor = None) -> ImportPage:
        found = await jobs.page(clock.now(), before=_before(cursor), limit=limit + 1)
        page, more = found[:limit], len(found) > limit
        return ImportPage(page, encode_cursor(page[-1].started_at, page[-1].id) if more else None)

    @router.get(
        "/{id}",
        summary="How far an import is",
        dependencies=[Depends(require("ingest:read"))],
        responses=refusals(404),
    )
    async def get_import(id: Annotated[str, Path(pattern=_ID)]) -> ImportJob:
        found = await jobs.get(id, clock.now())
        if found is None:
            raise NotFoundError(f"There is no import {id!r}. GET /v1/imports lists them.")
        return found

    return router


async def _chunks(request: Request, leaving: Leaving, idle_s: float) -> AsyncIterator[bytes]:
    stream = request.stream()
    try:
        while True:
            async with leaving.waiting(idle_s):
                chunk = await anext(stream)
            yield chunk
    except StopAsyncIteration:
        return
    except TimeoutError:
        raise SenderSilentError(f"Nothing came for {idle_s:g} s. Send the file again.") from None
    except ClientDisconnect:
        raise SenderGoneError("The sender hung up before the end of the file.") from None


def _told_format(request: Request) -> Format | None:
    label = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return _FORMATS.get(label)


def _interrupted(error: ImportInterruptedError) -> Response:
    told: dict[str, Any] = {"import": error.job}
    headers = {"Retry-After": str(max(1, round(error.retry_after)))}
    return problem(503, error.code, error.message, headers=headers, **told)


def _before(cursor: str | None) -> JobKey | None:
    if not cursor:
        return None
    started_at, last = decode_cursor(cursor, tuple[KeyTime, KeyText])
    return plausible(started_at), last
