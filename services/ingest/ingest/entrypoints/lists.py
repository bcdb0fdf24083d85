"""What the routes that list things have in common: their parameters, and the refusals they document."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query
from msgspec import Meta
from pydantic import AwareDatetime

NO_NUL = r"^[^\x00]*$"
"""PostgreSQL has no NUL in a text, so nothing that holds one can be found."""

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=4_000, description="`next_cursor` of the page before.")]
Wanted = Annotated[str | None, Query(max_length=500, pattern=NO_NUL)]
Instant = Annotated[AwareDatetime | None, Query()]

KeyText = Annotated[str, Meta(pattern=NO_NUL)]
"""A text in a cursor."""
KeyTime = Annotated[datetime, Meta(tz=True)]
"""An instant in a cursor."""


def plausible(instant: datetime) -> datetime:
    """The instant, or the nearest one that the database can hold in every zone."""
    return min(max(instant, _EARLIEST), _LATEST)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers with these statuses, as problem documents."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {each: {"description": HTTPStatus(each).phrase, "content": content} for each in statuses}
