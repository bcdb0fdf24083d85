"""The decision against an event; rules return None where they have nothing against it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejected:
    """`code` is for programs; `message` tells a person what is wrong, where, and what to do.

    `parked`: nothing the sender need mend; it is told that the event was kept aside, and that is all.
    """

    code: str
    message: str
    parked: bool = False


def json_kind(value: object) -> str:
    """What JSON calls a value.

    >>> json_kind([]), json_kind(True), json_kind(None)
    ('an array', 'a boolean', 'null')
    """
    kinds = {str: "a string", bool: "a boolean", dict: "an object", list: "an array", type(None): "null"}
    return kinds.get(type(value), "a number")
