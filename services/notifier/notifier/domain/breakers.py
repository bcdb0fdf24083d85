"""Endpoints that are out of order are left alone for a while, so that they delay nobody else and are not hammered."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """After `failures` faults in a row an endpoint rests for `rest`, twice as long after each further one, at most `longest`."""

    failures: int = 5
    rest: timedelta = timedelta(seconds=10)
    longest: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of one endpoint: its faults in a row, and until when it rests."""

    failures: int = 0
    until: datetime | None = None

    def resting(self, now: datetime) -> datetime | None:
        """The end of its rest, where it rests."""
        return self.until if self.until is not None and now < self.until else None

    @property
    def on_trial(self) -> bool:
        """Whether it has rested and not yet answered well: one message at a time finds out."""
        return self.failures > 0 and self.until is not None

    def after_fault(self, now: datetime, rules: BreakerRules) -> "Breaker":
        """Once more it could not take a message."""
        failures = self.failures + 1
        if failures < rules.failures:
            return replace(self, failures=failures)
        rest = min(rules.rest * 2 ** min(failures - rules.failures, 16), rules.longest)
        return Breaker(failures, now + rest)

    def after_pause(self, until: datetime) -> "Breaker":
        """It asked to be left alone until then; that is no fault."""
        return replace(self, until=until if self.until is None else max(until, self.until))


WELL = Breaker()
"""An endpoint that answers."""
