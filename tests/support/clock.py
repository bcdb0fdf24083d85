"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning."""


class ManualClock:
    """Implements csm_common.clock.Clock."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """The instant it was moved to last."""
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Move on by `step` and return the new instant."""
        return self.set(self._now + step)

    def set(self, instant: datetime) -> datetime:
        """Move to `instant`, which may lie in the past."""
        self._now = instant
        return instant
