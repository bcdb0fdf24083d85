"""What is known of the account itself: attributes merged field by field, the newer event winning."""

from collections.abc import Mapping
from typing import Any

from health_score.domain.fact import Fact

ACCOUNT_CHANGED = "csm.account.changed"
CUSTOM = "attributes"
STANDARD = frozenset(
    {
        "name", "plan", "segment", "stage", "owner", "team", "region",
        "arr", "currency", "seats", "renewal_date", "timezone", "locale",
    }
)  # fmt: skip

Stamp = tuple[float, str]
"""Event time and event id: the order in which facts win."""


def flattened(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of a fact with its custom `attributes` beside them, which never stand in for a standard field."""
    custom = data.get(CUSTOM)
    if not isinstance(custom, dict):
        return data
    own = {name: value for name, value in data.items() if name != CUSTOM}
    return {name: value for name, value in custom.items() if name not in STANDARD} | own


def merge(attributes: dict[str, Any], stamps: dict[str, Stamp], fact: Fact) -> bool:
    """Take over each field that the fact tells newer than known; absent and null fields stay. True if anything changed.

    A value holding an integer that does not fit 64 bits is passed over: it could be neither stored nor sent on.
    """
    stamp = (fact.time, fact.id)
    changed = False
    for name, value in flattened(fact.data).items():
        if name == CUSTOM or not _kept(value) or (name in stamps and stamp <= stamps[name]):
            continue
        changed = changed or attributes.get(name) != value
        attributes[name] = value
        stamps[name] = stamp
    return changed


def forget(attributes: dict[str, Any], stamps: dict[str, Stamp], fact: Fact) -> bool:
    """Remove what names the contact that the fact says is erased, such as an owner; only newer facts can bring it back."""
    named = [name for name, value in attributes.items() if _names(value, fact.data.get("contact_id"))]
    for name in named:
        del attributes[name]
        stamps[name] = max(stamps[name], (fact.time, fact.id))
    return bool(named)


def _names(value: Any, contact_id: Any) -> bool:
    """Whether the contact's id is the value, or anywhere in it."""
    if isinstance(value, dict):
        return any(_names(each, contact_id) for each in (*value, *value.values()))
    if isinstance(value, list):
        return any(_names(each, contact_id) for each in value)
    return isinstance(value, str) and value == contact_id


def _kept(value: Any) -> bool:
    return value is not None and _fits(value)


def _fits(value: Any) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, dict):
        return all(map(_fits, value.values()))
    return not isinstance(value, list) or all(map(_fits, value))
