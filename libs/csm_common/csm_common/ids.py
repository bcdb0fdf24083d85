"""Ids are derived, not drawn: a consequence's id is a uuid5 of its cause, so redelivery anywhere yields the same ids."""

from uuid import NAMESPACE_URL, uuid5

_ROOT = uuid5(NAMESPACE_URL, "urn:csm")


def derived_id(kind: str, *cause: object) -> str:
    """The id of the consequence `kind` of `cause`. Parts are joined by an unprintable mark, so ("a", "bc") ≠ ("ab", "c").

    >>> derived_id("crossing", "acme", "at_risk", "evt-1") == derived_id("crossing", "acme", "at_risk", "evt-1")
    True
    """
    return str(uuid5(_ROOT, "\x1f".join((kind, *map(str, cause)))))
