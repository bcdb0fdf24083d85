"""How many messages a person or an account gets in any window of a length, over all playbooks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol


class Counted(Protocol):
    """A message that counts."""

    @property
    def at(self) -> datetime:
        """When it was sent."""
        ...

    @property
    def priority(self) -> int:
        """How urgent it was."""
        ...


@dataclass(frozen=True, slots=True)
class Reserved:
    """Of a cap's limit so many `slots` are for messages of at least that `priority`."""

    priority: int
    slots: int


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` messages in any window of the length `within`: those at a moment t count in all of [t, t + within)."""

    per: Literal["person", "account"]
    limit: int
    within: timedelta
    reserved: Reserved | None = None

    @property
    def name(self) -> str:
        """A stable word, such as cap_person_7d."""
        return f"cap_{self.per}_{length(self.within)}"

    def counted(self, messages: Iterable[Counted], now: datetime) -> int:
        """How many of the messages count now."""
        return sum(each.at + self.within > now for each in messages)

    def open_to(self, priority: int) -> int:
        """How many slots a message of that priority can have at all."""
        kept = self.reserved
        return self.limit if kept is None or priority >= kept.priority else self.limit - kept.slots

    def room_at(self, messages: Sequence[Counted], priority: int, now: datetime) -> datetime | None:
        """The first instant from `now` on at which one more of that priority fits; None where it never does.

        Messages in reserved slots leave an ordinary one the slots they do not use: what counts against those open to all are the
        messages that could not have had a reserved one.
        """
        kept = self.reserved
        moments = [_room(messages, self.limit, self.within, now)]
        if kept is not None and priority < kept.priority:
            ordinary = [each for each in messages if each.priority < kept.priority]
            moments.append(_room(ordinary, self.limit - kept.slots, self.within, now))
        known = [each for each in moments if each is not None]
        return max(known) if len(known) == len(moments) else None


def _room(messages: Sequence[Counted], limit: int, within: timedelta, now: datetime) -> datetime | None:
    if limit <= 0:
        return None
    ends = sorted(end for each in messages if (end := each.at + within) > now)
    return now if len(ends) < limit else ends[len(ends) - limit]


def length(span: timedelta) -> str:
    """A length in its greatest whole unit, such as 7d, 36h or 90s."""
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def in_words(span: timedelta) -> str:
    """A length for sentences, such as 7 days."""
    told = length(span)
    unit = {"d": "day", "h": "hour", "m": "minute", "s": "second"}[told[-1]]
    return f"{told[:-1]} {unit}" if told[:-1] == "1" else f"{told[:-1]} {unit}s"
