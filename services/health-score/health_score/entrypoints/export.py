"""GET /v1/accounts:export: all accounts that pass, as NDJSON or CSV, page by page, however many there are."""

import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field as Told
from starlette.responses import StreamingResponse

from csm_common.clock import Clock
from csm_common.errors import CsmError
from csm_common.telemetry.logs import get_logger
from health_score.application import account_csv
from health_score.application.account_fields import Field, read_fields
from health_score.application.account_query import AccountFilters, Text
from health_score.application.models import Models
from health_score.application.read_ports import AccountLists, ListedRow
from health_score.application.walk import Order, Place
from health_score.entrypoints.documented import EXPORT_ANSWERS, FIELDS
from health_score.entrypoints.listed import answered, decoded
from health_score.entrypoints.rows import SeenRows

log = get_logger(__name__)

_PAGE = 1_000
_lines = msgspec.json.Encoder()
_MEDIA = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8; header=present"}


class ExportQuery(AccountFilters):
    """What to export."""

    format: Literal["ndjson", "csv"] = Told("ndjson", description="One JSON object a line, or a table.")
    fields: Text | None = Told(None, description=FIELDS)


Pages = AsyncIterator[Sequence[ListedRow]]
Write = Callable[[Sequence[ListedRow]], bytes]


def create_export_router(lists: AccountLists, models: Models, clock: Clock) -> APIRouter:
    """The route of the export."""
    router = APIRouter(prefix="/v1", tags=["accounts"])

    @router.get(
        "/accounts:export",
        summary="All accounts that pass, as NDJSON or CSV",
        response_class=StreamingResponse,
        responses=EXPORT_ANSWERS,
    )
    async def export(
        query: Annotated[ExportQuery, Query()], rows: SeenRows, request: Request
    ) -> StreamingResponse:
        """In the order of account ids, so that each account that is there all the while is told exactly once, as it is when its
        page is read. An export that breaks off ends with a line that says so, and its connection is cut instead of closed."""
        chosen = read_fields(query.fields, models.latest.known.values())
        now, filters = clock.now(), AccountFilters.within(query)
        compared = filters.changed_days is not None

        async def pages() -> Pages:
            after: Place | None = None
            while found := await lists.page(filters, rows, Order("account_id", False), after, _PAGE, now):
                yield found
                if len(found) < _PAGE:
                    return
                last = found[-1]
                after = Place(None, last.account_id)

        body = _csv(pages(), chosen) if query.format == "csv" else _ndjson(pages(), chosen, compared)
        headers = {
            "Vary": "Accept-Encoding",
            "Content-Disposition": f'attachment; filename="accounts.{query.format}"',
        }
        if _takes_gzip(request.headers.get("accept-encoding", "")):
            body, headers["Content-Encoding"] = _gzipped(body), "gzip"
        return StreamingResponse(body, media_type=_MEDIA[query.format], headers=headers)

    return router


async def _ndjson(pages: Pages, chosen: Sequence[Field], compared: bool) -> AsyncIterator[bytes]:
    def write(page: Sequence[ListedRow]) -> bytes:
        return _lines.encode_lines([answered(each, chosen, compared=compared) for each in page])

    async for written in _until_it_breaks(pages, write, lambda told: _lines.encode_lines([told])):
        yield written


async def _csv(pages: Pages, chosen: Sequence[Field]) -> AsyncIterator[bytes]:
    columns = chosen or account_csv.USUAL
    yield account_csv.header(columns).encode()

    def write(page: Sequence[ListedRow]) -> bytes:
        accounts = [decoded(each) for each in page]
        return account_csv.lines([field.of(each) for field in columns] for each in accounts).encode()

    def write_error(told: dict[str, Any]) -> bytes:
        return account_csv.lines([["#error", told["error"]["message"]]]).encode()

    async for written in _until_it_breaks(pages, write, write_error):
        yield written


async def _until_it_breaks(
    pages: Pages, write: Write, write_error: Callable[[dict[str, Any]], bytes]
) -> AsyncIterator[bytes]:
    """The pages as bytes. An error becomes the last line, and goes on up: the server then cuts the connection, so that neither
    the body's length nor its gzip trailer looks whole."""
    try:
        async for page in pages:
            yield write(page)
    except Exception as error:
        code = error.code if isinstance(error, CsmError) else "internal_error"
        yield write_error({"error": {"code": code, "message": "The export broke off here. Ask for it anew."}})
        raise


def _takes_gzip(accepted: str) -> bool:
    told = dict(each.strip().lower().partition(";")[::2] for each in accepted.split(","))
    return "gzip" in told and told["gzip"].replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")


async def _gzipped(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Each page is flushed, so that the client has it, and an error, at once."""
    packed = zlib.compressobj(6, zlib.DEFLATED, 31)
    async for each in body:
        yield packed.compress(each) + packed.flush(zlib.Z_SYNC_FLUSH)
    yield packed.flush()
