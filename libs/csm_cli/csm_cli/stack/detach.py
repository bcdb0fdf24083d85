"""`csm up --detach`: the supervisor as a process of its own, heard until it is ready."""

import os
import subprocess
import sys
from typing import IO, cast

from csm_cli.stack.child import python
from csm_cli.stack.description import read
from csm_cli.stack.home import Home
from csm_cli.stack.options import Options
from csm_cli.stack.processes import SUPERVISOR


def launch(options: Options) -> int:
    """Start a supervisor in its own session and repeat what it says; 0 once its stack is ready, else its exit code."""
    supervisor = subprocess.Popen(
        python("csm_cli.stack"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        return _listen(supervisor, options)
    except KeyboardInterrupt:
        supervisor.terminate()
        return supervisor.wait()


def detach_output(home: Home) -> None:
    """In the supervisor, once ready: further words go to its log, and the launcher sees the end of its pipe."""
    with home.log(SUPERVISOR).open("ab") as log:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())


def _listen(supervisor: subprocess.Popen[str], options: Options) -> int:
    with cast("IO[str]", supervisor.stdin) as pipe:
        pipe.write(options.as_json())
    with cast("IO[str]", supervisor.stdout) as lines:
        for line in lines:
            sys.stdout.write(line)
            sys.stdout.flush()
    stack = read(options.home)
    ready = stack is not None and stack["pids"][SUPERVISOR] == supervisor.pid
    return 0 if ready else supervisor.wait()
