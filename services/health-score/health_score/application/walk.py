"""Cursors of account lists: where a walk through all pages stands, so that it goes on although scores change meanwhile."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Annotated, Any

from msgspec import Meta

from csm_common.errors import InvalidError
from csm_common.web.pages import decode_cursor, encode_cursor
from health_score.application.account_query import AccountFilters, Sort

Key = float | str | date | None
"""What accounts are sorted by; None comes last in either direction."""

_Text = Annotated[str, Meta(pattern=r"^[^\x00]*$")]
_CURSOR: Any = tuple[str, str, str | None, float | None, float | _Text | None, _Text]
_SNAPSHOT = re.compile(r"(\d{1,18}):(\d{1,18}):((?:\d{1,18}(?:,\d{1,18})*)?)")

NUMBERS = ("score", "change", "coverage", "arr")


@dataclass(frozen=True, slots=True)
class Order:
    """The key that accounts are sorted by, with their ids breaking ties in the same direction."""

    key: str
    descending: bool

    @classmethod
    def of(cls, sort: Sort) -> "Order":
        """As it is asked for."""
        return cls(sort.removeprefix("-"), sort.startswith("-"))


@dataclass(frozen=True, slots=True)
class Place:
    """The last account of a page. `seen` is what was committed when the walk began, as PostgreSQL's pg_snapshot; `compared_with`
    the instant that changes are counted from. Both stay the same for a whole walk."""

    key: Key
    account_id: str
    seen: str | None = None
    compared_with: datetime | None = None


def digest(filters: AccountFilters) -> str:
    """A short name for what is filtered by."""
    told = filters.model_dump_json(exclude_defaults=True, include=set(AccountFilters.model_fields))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def write_cursor(sort: Sort, filters: AccountFilters, place: Place) -> str:
    """The cursor for the page behind this place."""
    at = None if place.compared_with is None else place.compared_with.timestamp()
    key = place.key.isoformat() if isinstance(place.key, date) else place.key
    return encode_cursor(sort, digest(filters), place.seen, at, key, place.account_id)


def read_cursor(cursor: str, sort: Sort, filters: AccountFilters) -> Place:
    """The place again; InvalidError where it is none of ours, or of another order or other filters."""
    told_sort, told_filters, seen, at, key, account_id = decode_cursor(cursor, _CURSOR)
    if told_sort != sort or told_filters != digest(filters):
        raise InvalidError(
            "The cursor is of a list with another order or other filters. Ask as for its first page, or leave it out."
        )
    if seen is not None and not _is_snapshot(seen):
        raise _made_up()
    return Place(_typed(Order.of(sort).key, key), account_id, seen, _instant(at))


def _typed(name: str, key: float | str | None) -> Key:
    if key is None or name == "account_id":
        return None
    if isinstance(key, float | int) != (name in NUMBERS):
        raise _made_up()
    try:
        return date.fromisoformat(key) if name == "renewal_date" and isinstance(key, str) else key
    except ValueError:
        raise _made_up() from None


def _instant(at: float | None) -> datetime | None:
    try:
        return None if at is None else datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        raise _made_up() from None


def _is_snapshot(seen: str) -> bool:
    """Whether PostgreSQL would read it."""
    found = _SNAPSHOT.fullmatch(seen)
    if found is None:
        return False
    first, beyond = int(found[1]), int(found[2])
    running = [int(each) for each in found[3].split(",") if each]
    ordered = all(one < other for one, other in pairwise(running))
    return 0 < first <= beyond and ordered and all(first <= each < beyond for each in running)


def _made_up() -> InvalidError:
    return InvalidError("The cursor is not one of ours; leave it out to start from the beginning.")
