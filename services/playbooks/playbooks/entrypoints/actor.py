"""Who is behind a request: its key, and the person that the key's own system vouches for in a header."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Header

from csm_common.errors import InvalidError
from csm_common.web.auth import Principal, require
from playbooks.application.actor import Actor

PERSON = "X-CSM-Person"
_LONGEST = 200

Person = Annotated[
    str | None,
    Header(
        alias=PERSON,
        description="The contact id of the person who acts. The key's own system vouches for it; without it the key acts.",
    ),
]


def require_actor(scope: str) -> Callable[..., Awaitable[Actor]]:
    """A FastAPI dependency: who acts, if the key has `scope`. InvalidError for a person that can be nobody's id."""

    async def actor(principal: Annotated[Principal, Depends(require(scope))], person: Person = None) -> Actor:
        return Actor(principal.source, None if person is None else _id(person))

    return actor


def _id(sent: str) -> str:
    """Headers come as Latin-1, whatever they were sent as; ids are sent as UTF-8."""
    try:
        person = sent.encode("latin-1").decode().strip()
    except ValueError:
        person = ""
    posing = person.startswith("key:") or " via " in person  # as the audit writes of keys
    if not person or len(person) > _LONGEST or not person.isprintable() or posing:
        raise InvalidError(
            f"{PERSON} must be the contact id of a person in UTF-8: at most {_LONGEST} printable characters, not beginning"
            " with key: and without the word via."
        )
    return person
