"""Runs a simulation's coroutines where there is no event loop, or another one: in memory nothing ever waits."""

from collections.abc import Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


def drive(coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
    """The result of a coroutine that waits for nothing. RuntimeError where it does."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: ResultT = done.value
        return result
    coroutine.close()
    raise RuntimeError("a simulation waited for something outside of it")
