"""JSON as some programs write it: numbers that JSON does not have, half a character, bytes that are no UTF-8. What is wrong
spoils its own message and not the batch around it, so the batch is taken apart here where the strict reader gives up."""

import json
from typing import Any

_COMPACT = (",", ":")


def read_loosely(body: bytes) -> Any:
    """What Python makes of the body, which reads all of that; None where it is no JSON in this sense either."""
    try:
        return json.loads(body.decode("utf-8-sig", errors="surrogateescape"))
    except (ValueError, RecursionError):
        return None


def written(message: Any) -> bytes:
    """A message of such a body by itself, as wrong as it was and not longer, for the strict reader to judge."""
    try:
        return json.dumps(message, ensure_ascii=False, separators=_COMPACT).encode(errors="surrogateescape")
    except UnicodeEncodeError:  # half a character can only be written as an escape
        return json.dumps(message, separators=_COMPACT).encode()
