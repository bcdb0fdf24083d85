"""A server that the supervisor starts as one of many, and that tests start alone."""

from typing import Self

from csm_cli.stack.child import Child
from csm_cli.stack.guard import Guard
from csm_cli.stack.home import Home


class Server:
    """Base of PostgreSQL and the broker: `child` is the process, `with server:` runs it during the block."""

    def __init__(self, home: Home, child: Child) -> None:
        self.child = child
        self._home = home
        self._guard: Guard | None = None

    def prepare(self) -> None:
        """What has to be there before the process starts."""

    def start(self) -> None:
        """Run it alone and wait until it serves; it ends with this process, even if that is killed."""
        self.prepare()
        self._guard = Guard(self._home)
        try:
            self.child.spawn()
            self.child.wait_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it and wait for its end; nothing happens when it does not run."""
        self.child.stop()
        if self._guard:
            self._guard.close()
            self._guard = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
