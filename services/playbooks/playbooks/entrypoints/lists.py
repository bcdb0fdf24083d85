"""What all lists over HTTP share: filters that PostgreSQL can be asked, limits, cursors, and examples in the description."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import Path, Query
from msgspec import Meta
from pydantic import AfterValidator, AwareDatetime, Field

from csm_common.errors import InvalidError
from csm_common.web.pages import decode_cursor, encode_cursor
from playbooks.application.reads import After

_NO_NUL = r"^[^\x00]*$"
"""PostgreSQL has no NUL in a text, so nothing that holds one can be found or written."""

Wanted = Annotated[str | None, Query(max_length=500, pattern=_NO_NUL)]
RowId = Annotated[str, Path(max_length=500, pattern=_NO_NUL)]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]


def _utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("no calendar holds this time") from None


Instant = Annotated[
    Annotated[AwareDatetime, AfterValidator(_utc)] | None,
    Query(description="With a zone, as in 2026-03-02T09:00:00Z."),
]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
"""Why somebody does it; it stands in the audit."""


class _CursorKey(NamedTuple):
    at: Annotated[datetime, Meta(tz=True)]
    id: Annotated[str, Meta(pattern=_NO_NUL)]


RowT = TypeVar("RowT")


def after(cursor: str | None) -> After:
    """The sort key that a cursor holds; InvalidError where somebody made it up."""
    if not cursor:
        return None
    key: _CursorKey = decode_cursor(cursor, _CursorKey)
    try:
        return key.at.astimezone(UTC), key.id
    except OverflowError as beyond:
        raise InvalidError(
            "The cursor is not one of ours; leave it out to start from the beginning."
        ) from beyond


def next_cursor(rows: Sequence[RowT], limit: int, key: Callable[[RowT], tuple[datetime, str]]) -> str | None:
    """The cursor of the next page; None where this one is the last."""
    return encode_cursor(*key(rows[-1])) if len(rows) == limit else None


def example(body: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The member `responses` of a route that can answer this."""
    return {status: {"content": {"application/json": {"example": body}}}}
