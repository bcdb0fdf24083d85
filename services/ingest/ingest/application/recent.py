"""What was taken lately, so that a sender learns at once that it repeats itself, or gives a known id to something else.

Only a help: it lives in one process and forgets. A repeat is published all the same; what counts twice or not is decided
behind the log, by the journal of ids.
"""

from typing import Literal

from ingest.application.accepted import Accepted, Digest


class Recent:
    """The last messages by source and id, at least `size` and at most twice as many; about 150 bytes each."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[int, Digest] = {}
        self._old: dict[int, Digest] = {}

    def digest_of(self, source: str, id: str) -> Digest | None:
        """What the message of that id said, where one was taken lately."""
        key = hash((source, id))
        found = self._young.get(key)
        return self._old.get(key) if found is None else found

    def remember(self, source: str, id: str, digest: Digest) -> None:
        """The message is durable."""
        self._young[hash((source, id))] = digest
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}


class Seen:
    """What was taken lately, and what the request at hand has said so far."""

    def __init__(self, recent: Recent) -> None:
        self._recent = recent
        self._here: dict[tuple[str, str], Digest] = {}

    def repeats(self, fact: Accepted) -> Literal["", "same", "other"]:
        """Whether the fact's id was given before: to the same fact, or to another."""
        key = (fact.source, fact.id)
        known = self._here.get(key)
        if known is None:
            known = self._recent.digest_of(*key)
        if known is None:
            self._here[key] = fact.digest
            return ""
        return "same" if known == fact.digest else "other"
