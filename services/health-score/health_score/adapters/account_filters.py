"""Filters of accounts as SQL: a small condition for each, with bound parameters alone; what is asked for never enters the text.

The conditions speak of `a` (accounts), `b` (account_attributes, of which an account without attributes has none) and, where
changes are asked for, `past` (the account's score and band at an earlier instant).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from csm_common.web.rows import Rows
from health_score.adapters.visible import visible
from health_score.application.account_query import AccountFilters

Condition = tuple[str, Mapping[str, Any]]

ATTRIBUTES = "LEFT JOIN account_attributes b ON b.account_id = a.account_id"

# The first change after the instant tells what was before it, so most accounts (no change since) cost one look into an index.
_PAST = """LEFT JOIN LATERAL (
    SELECT true AS moved, h.score_before AS score, h.band_before AS band FROM history h
    WHERE h.account_id = a.account_id AND h.known_at > :{instant} ORDER BY h.known_at, h.revision LIMIT 1
) {name} ON true"""


def past(name: str, instant: str) -> str:
    """The account's score and band at an instant, as a join called `name`; `instant` is the parameter's name."""
    return _PAST.format(name=name, instant=instant)


CHANGE = "(a.score - CASE WHEN past.moved THEN past.score ELSE a.score END)"

_ANY_OF = {
    "band": "a.band", "scorecard": "a.scorecard", "owner": "b.owner", "team": "b.team", "segment": "b.segment", "plan": "b.plan",
}  # fmt: skip
_AT_LEAST = {
    "score_min": "a.score", "coverage_min": "a.coverage", "change_min": CHANGE, "updated_since": "a.updated_at",
}  # fmt: skip
_AT_MOST = {"score_max": "a.score", "coverage_max": "a.coverage", "change_max": CHANGE}
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d{1,17})?")


def where(filters: AccountFilters, rows: Rows, now: datetime) -> tuple[str, dict[str, Any]]:
    """The condition of all filters and of the rows that may be seen, and its parameters."""
    found = [*_conditions(filters, now), visible(rows, "a.account_id")]
    parameters = {name: value for _, more in found for name, value in more.items()}
    return " AND ".join(f"({sql})" for sql, _ in found), parameters


def joins(filters: AccountFilters) -> str:
    """What the conditions speak of beside `a`. PostgreSQL leaves out a join that nothing reads."""
    return ATTRIBUTES if filters.changed_days is None else f"{ATTRIBUTES} {past('past', 'compared_with')}"


def _conditions(filters: AccountFilters, now: datetime) -> Iterator[Condition]:
    for name, column in _ANY_OF.items():
        if wanted := getattr(filters, name):
            yield f"{column} = ANY(CAST(:{name} AS text[]))", {name: wanted}
    for names, sign in ((_AT_LEAST, ">="), (_AT_MOST, "<=")):
        for name, column in names.items():
            if (limit := getattr(filters, name)) is not None:
                yield f"{column} {sign} :{name}", {name: limit}
    yield from _yes_or_no(filters)
    yield from _renewal(filters, now)
    yield from _texts(filters)
    for number, told in enumerate(filters.attribute):
        yield _attribute(f"attribute{number}", told)
    if filters.changed_days is not None:
        yield "true", {"compared_with": filters.compared_with(now)}


def _yes_or_no(filters: AccountFilters) -> Iterator[Condition]:
    if filters.scored is not None:
        yield f"a.score IS {'NOT ' if filters.scored else ''}NULL", {}
    if filters.overridden is not None:
        yield "a.overridden" if filters.overridden else "NOT a.overridden", {}


def _renewal(filters: AccountFilters, now: datetime) -> Iterator[Condition]:
    first, last = filters.renewals(now)
    if first is not None:
        yield "b.renewal_date >= :renewal_from", {"renewal_from": first}
    if last is not None:
        yield "b.renewal_date <= :renewal_to", {"renewal_to": last}


def _texts(filters: AccountFilters) -> Iterator[Condition]:
    if filters.q:
        found = "position(lower(:q) IN lower({})) > 0"
        yield f"{found.format('a.account_id')} OR {found.format('b.name')}", {"q": filters.q}
    for number, measure in enumerate(filters.missing):
        yield f"position(:missing{number} IN a.missing) > 0", {f"missing{number}": f" {measure} "}
    if filters.has:
        yield "jsonb_exists_all(b.attributes, CAST(:has AS text[]))", {"has": filters.has}


def _attribute(name: str, told: str) -> Condition:
    """By containment, which one index over all attributes serves: as a text, a number or a boolean, or in a list of them."""
    attribute, _, value = told.partition(":")
    meant = [value, *_other_types(value)]
    forms = [{attribute: form} for each in meant for form in (each, [each])]
    sql = " OR ".join(f"b.attributes @> CAST(:{name}_{each} AS jsonb)" for each in range(len(forms)))
    return sql, {f"{name}_{each}": msgspec.json.encode(form).decode() for each, form in enumerate(forms)}


def _other_types(value: str) -> list[Any]:
    if value in ("true", "false"):
        return [value == "true"]
    return [msgspec.json.decode(value)] if _NUMBER.fullmatch(value) else []
