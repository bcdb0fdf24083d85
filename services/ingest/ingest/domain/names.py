"""Names that messages, persons and accounts go by: texts that can be stored, compared and shown."""

from collections.abc import Mapping

from ingest.domain.decision import Rejected

LONGEST = 200


def storable(text: str, longest: int | None = None) -> str:
    """The text, at most so long, without what PostgreSQL has no place for.

    >>> storable("a\0b", 2)
    'a\ufffd'
    """
    return text[:longest].replace("\x00", "\ufffd").encode(errors="replace").decode()


def name_problem(names: Mapping[str, str]) -> Rejected | None:
    """Refuses the first name, told by what it is, that is empty, too long, or holds control characters."""
    for what, name in names.items():
        if not name.strip():
            return Rejected("invalid_name", f"The {what} must not be empty.")
        if len(name) > LONGEST:
            return Rejected(
                "invalid_name", f"The {what} has {len(name)} characters, of which {LONGEST} are allowed."
            )
        if any(each < " " or "\x7f" <= each <= "\x9f" or "\ud800" <= each <= "\udfff" for each in name):
            return Rejected("invalid_name", f"The {what} must not contain control characters.")
    return None
