"""Waiting for what happens elsewhere: a condition with a deadline. The only place in the tests that sleeps."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_INTERVAL_S = 0.02


@overload
async def eventually(
    condition: Callable[[], Awaitable[T | None]], within_s: float = ..., *, what: str | None = ...
) -> T: ...
@overload
async def eventually(
    condition: Callable[[], T | None], within_s: float = ..., *, what: str | None = ...
) -> T: ...
async def eventually(condition: Callable[[], Any], within_s: float = 60.0, *, what: str | None = None) -> Any:
    """The first truthy value of `condition`, which may be async; AssertionError with the last value after `within_s`.

    >>> await eventually(lambda: consumer.problem() is None, what="partitions are assigned")  # doctest: +SKIP
    """
    deadline = time.monotonic() + within_s
    while True:
        answer = condition()
        value = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what or condition}; at last it was {value!r}")
        await asyncio.sleep(_INTERVAL_S)


async def let_pass(seconds: float) -> None:
    """Set the pace of something that goes on for a while; to wait for something to happen there is `eventually`."""
    await asyncio.sleep(seconds)


async def accepts(port: int) -> bool:
    """Whether somebody listens on loopback."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
