"""A clock that runs faster than the machine's, the same in all processes that are told when it was started."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.support.clock import START


@dataclass(frozen=True, slots=True)
class FastClock:
    """Implements csm_common.clock.Clock: START at `begun_s`, in seconds of the machine's clock, and `rate` times as fast."""

    begun_s: float
    rate: float

    def now(self) -> datetime:
        """By now."""
        return START + timedelta(seconds=(time.time() - self.begun_s) * self.rate)
