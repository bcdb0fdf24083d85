"""Names of event types: `csm.` is ours, anything else is a custom fact."""

from collections.abc import Collection
from difflib import get_close_matches
from functools import lru_cache

from ingest.domain.decision import Rejected

RESERVED = "csm."


def type_problem(name: str, known: Collection[str]) -> Rejected | None:
    """Refuses names under the reserved prefix that are none of the `known` facts: most likely a slip of the pen."""
    if name in known or not name.startswith(RESERVED):
        return None
    near = _near(name, tuple(known))
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}."
    return Rejected(
        "unknown_type",
        f"There is no fact {name}: {hint} Types that begin with {RESERVED} are reserved; name a custom fact otherwise.",
    )


@lru_cache(maxsize=1024)  # a millisecond each, and a sender that is wrong is wrong in every event
def _near(name: str, known: tuple[str, ...]) -> list[str]:
    return get_close_matches(name, known, n=3)
