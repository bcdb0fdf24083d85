"""What `csm up` says while it works: a spinner on a terminal, one line per finished step everywhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Progress:
    """Reports to one console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()

    @contextmanager
    def step(self, name: str, detail: str = "") -> Iterator[None]:
        """A step that takes a while; its line, with the time since the beginning, is written when it is done."""
        with self.busy(f"starting {name}"):
            yield
        self.say(f"  {time.monotonic() - self._began:5.1f} s  {name:<13} {detail}".rstrip())

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """A spinner for the length of the block, where there is a terminal to show it."""
        with self._console.status(f"{what} …"):
            yield

    def say(self, text: str) -> None:
        """Plain text, as it is: no markup, no wrapping, so that commands can be copied."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
