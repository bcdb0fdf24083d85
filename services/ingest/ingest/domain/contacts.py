"""People: what is known of a contact, each field as of the time it was told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest.domain.decision import Rejected

LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Told:
    """A value, and when it was told."""

    value: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownContact:
    """A contact's fields and, by category, its consents; `told_at` is when the newest of it was told."""

    details: Mapping[str, Told]
    consents: Mapping[str, Told]
    told_at: datetime

    def merged(self, other: "KnownContact") -> "KnownContact":
        """Both together, field by field: what was told later stands, of one moment what `other` says.

        The order in which facts arrive decides nothing but that.
        """
        return KnownContact(
            _newest(self.details, other.details),
            _newest(self.consents, other.consents),
            max(self.told_at, other.told_at),
        )


def _newest(known: Mapping[str, Told], other: Mapping[str, Told]) -> dict[str, Told]:
    newer = {name: told for name, told in other.items() if name not in known or told.at >= known[name].at}
    return {**known, **newer}


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


def text_problem(texts: Mapping[str, str]) -> Rejected | None:
    """Refuses the first text, told by its place, that no database keeps."""
    for place, value in texts.items():
        if "\0" in value:
            return Rejected("invalid_data", f"data.{place} must not contain the character U+0000.")
    return None
