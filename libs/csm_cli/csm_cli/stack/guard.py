"""The guard ends the children of a supervisor that was killed: it waits for the pipe between them to break.

A pipe breaks however its holder ends, on Linux and on macOS alike, and needs no help from the children.
Run as `python -m csm_cli.stack.guard HOME`.
"""

import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from csm_cli.stack.child import python
from csm_cli.stack.home import Home
from csm_cli.stack.processes import Processes


class Guard:
    """The supervisor's end of the pipe. `keep_open`: descriptors it holds as well (the home's lock)."""

    def __init__(self, home: Home, keep_open: Collection[int] = ()) -> None:
        home.logs.mkdir(parents=True, exist_ok=True)
        with home.log("guard").open("ab") as log:
            self._process = subprocess.Popen(
                python("csm_cli.stack.guard", str(home.path)),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=tuple(keep_open),
            )

    @property
    def alive(self) -> bool:
        """Whether it watches."""
        return self._process.poll() is None

    def close(self) -> None:
        """Let the guard go, after the children have ended."""
        self._process.communicate()


def main() -> None:
    """Wait for the end of standard input, then end what is recorded in the home given as argument."""
    sys.stdin.buffer.read()
    ended = Processes(Home(Path(sys.argv[1]))).end_all()
    if ended:
        sys.stderr.write(f"The supervisor is gone; ended {', '.join(ended)}.\n")


if __name__ == "__main__":
    main()
