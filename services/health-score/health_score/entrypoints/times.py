"""Times in queries: ISO dates or date-times, in UTC unless they say otherwise."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator


def _utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("no calendar holds this time") from None


Time = Annotated[datetime, AfterValidator(_utc)]
"""A `+` in a query is a space: write %2B, or Z for UTC."""
