"""A bound on what may wait in memory: requests beyond it are turned away at once instead of slowing everyone down."""

from typing import Self

from csm_common.errors import TransientError


class Budget:
    """So many bytes may be in flight over all requests, from the bodies' arrival until their events are durable."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def hold(self) -> "Hold":
        """A share for one request, nothing at first: `with budget.hold() as hold: hold.grow(size)`."""
        return Hold(self)


class Hold:
    """What one request takes up; given back at the end of the block."""

    __slots__ = ("_budget", "_size")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.held -= self._size

    def grow(self, size: int) -> None:
        """Take up so many bytes more; TransientError where they do not fit, but a lone request always does."""
        budget = self._budget
        alone = budget.held == self._size
        if not alone and budget.held + size > budget.limit:
            raise TransientError(
                "Too many events are on their way to the brokers. Send this request again later.",
                code="overloaded",
                retry_after=1.0,
            )
        budget.held += size
        self._size += size
