"""When to try again: one line an operator can read, spread a little so that retries do not come in step."""

import re
from dataclasses import dataclass
from datetime import timedelta

_PAUSE = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPREAD = 0.2

LONGEST_ASKED = timedelta(hours=1)
"""A receiver that asks for more patience than this is asked again after this."""


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """The pauses after the first, second … attempt; after the last one there is a last attempt."""

    pauses: tuple[timedelta, ...]

    @classmethod
    def parse(cls, line: str) -> "RetrySchedule":
        """The schedule of a line like `5s, 30s, 2m, 10m, 1h`; an empty line allows one attempt. ValueError for anything else."""
        return cls(tuple(_pause(each.strip()) for each in line.split(",") if each.strip()))

    @property
    def attempts(self) -> int:
        """How many attempts there are in all."""
        return len(self.pauses) + 1

    def pause_after(self, attempt: int, chance: float, asked: timedelta | None = None) -> timedelta | None:
        """The pause after attempt 1, 2 …, longer by up to a fifth as `chance` (0…1) has it; None after the last one.

        A pause the receiver has `asked` for (`Retry-After`) counts where it is longer, up to LONGEST_ASKED.
        """
        if attempt >= self.attempts:
            return None
        pause = self.pauses[attempt - 1] * (1 + _SPREAD * chance)
        return pause if asked is None else max(pause, min(asked, LONGEST_ASKED))


def _pause(text: str) -> timedelta:
    match = _PAUSE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no pause; write a number and s, m, h or d, as in: 5s, 30s, 2m, 1h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
