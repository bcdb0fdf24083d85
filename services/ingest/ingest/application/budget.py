"""A bound on what may wait in memory: requests beyond it are turned away at once instead of slowing everyone down."""

from typing import Self

from csm_common.errors import TransientError


class Budget:
    """So many bytes may be in flight over all requests, from the first byte of a body until its events are durable."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def hold(self, size: int) -> "Hold":
        """`with budget.hold(size):` counts so many bytes for the length of the block."""
        return Hold(self, size)


class Hold:
    """One request's share. Raises TransientError where it does not fit; a lone request always does."""

    __slots__ = ("_budget", "_size")

    def __init__(self, budget: Budget, size: int) -> None:
        self._budget = budget
        self._size = size

    def __enter__(self) -> Self:
        self._take(self._size, others=self._budget.held)
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.held -= self._size

    def grow(self, size: int) -> None:
        """Count so many bytes more until the block ends."""
        self._take(size, others=self._budget.held - self._size)
        self._size += size

    def _take(self, size: int, *, others: int) -> None:
        if others and self._budget.held + size > self._budget.limit:
            raise TransientError(
                "Too many events are on their way to the brokers. Send this request again later.",
                code="overloaded",
                retry_after=1.0,
            )
        self._budget.held += size
