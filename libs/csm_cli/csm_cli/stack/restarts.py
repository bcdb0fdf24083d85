"""When a service that died may start again: at once at first, then ever later, and not more than five times a minute."""

from collections import deque

PAUSES_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0)
WINDOW_SECONDS = 60.0


class Restarts:
    """The restarts of one service. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._deaths: deque[float] = deque()

    def pause(self, now: float) -> float | None:
        """How long to wait after a death at `now`, in seconds; None when it has died too often to try again."""
        while self._deaths and now - self._deaths[0] >= WINDOW_SECONDS:
            self._deaths.popleft()
        if len(self._deaths) == len(PAUSES_SECONDS):
            return None
        self._deaths.append(now)
        return PAUSES_SECONDS[len(self._deaths) - 1]
