"""People: their personal details are split off a fact before it goes on the log of all facts."""

from collections.abc import Collection, Mapping
from typing import Any

from ingest.domain.decision import Rejected

LONGEST_ID = 200


def contact_id_problem(contact_id: str) -> Rejected | None:
    """Refuses ids that cannot be the last part of an `account/contact` key."""
    if not contact_id.strip():
        return Rejected("invalid_data", "data.contact_id must not be empty.")
    if len(contact_id) > LONGEST_ID:
        return Rejected("invalid_data", f"data.contact_id must have at most {LONGEST_ID} characters.")
    if "/" in contact_id:
        # a/b of account x and b of account x/a would be one person
        return Rejected("invalid_data", "data.contact_id must not contain a slash.")
    return None


def without_personal(data: Mapping[str, Any], personal: Collection[str]) -> dict[str, Any]:
    """The data that may stay on a fact.

    >>> without_personal({"contact_id": "c1", "email": "a@example.com"}, ("name", "email"))
    {'contact_id': 'c1'}
    """
    return {name: value for name, value in data.items() if name not in personal}
