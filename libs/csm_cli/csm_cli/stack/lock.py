"""One supervisor per home: a lock on a file, which ends with its holders however they end."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from csm_cli.stack.home import Home, write_private
from csm_cli.stack.processes import SUPERVISOR, Processes
from csm_common.errors import FatalError

GUARD_SECONDS = 90.0  # a guard ends seven processes, each with its own bound


@contextmanager
def hold(home: Home) -> Iterator[int]:
    """Hold `home`, made when missing; yields the descriptor of the lock. FatalError when it is in use or no good."""
    try:
        home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        home.logs.mkdir(exist_ok=True)
        write_private(home.path / "probe", "")
        (home.path / "probe").unlink()
        descriptor = os.open(home.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FatalError(
            f"{home.path} cannot be used as home: {error.strerror} ({error.filename})."
        ) from error
    try:
        _acquire(descriptor, home)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, home: Home) -> None:
    deadline = time.monotonic() + GUARD_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            entry = Processes(home).entries().get(SUPERVISOR)
            # Without a supervisor it is the guard of a killed one, about to end what that left.
            if (entry and entry.process()) or time.monotonic() > deadline:
                owner = f"pid {entry.pid}" if entry else "its pid is not known"
                raise FatalError(
                    f"A stack already runs in {home.path} ({owner}): `csm status` shows it, `csm down` ends it."
                ) from None
            time.sleep(0.1)
        except OSError as error:
            raise FatalError(
                f"{home.path} cannot be locked: {error.strerror}; choose a --home on a local disk."
            ) from error
