"""The process in which templates are rendered: without environment, secrets or much memory, and for two seconds at a time.

It reads jobs from a socket and answers each. The kernel ends it where a job takes too long, whatever the job is doing; the end of
the socket ends it with its parent, however that died. `python -I -m notifier.adapters.templates.child FD SECONDS BYTES`.
"""

import resource
import signal
import socket
import struct
import sys
from typing import Any, BinaryIO

import msgspec
from jinja2 import TemplateError, TemplateSyntaxError

from notifier.adapters.templates.linting import lint
from notifier.adapters.templates.press import Press, RefusedError

HEAD = struct.Struct("!I")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


def main() -> None:
    """Answer jobs until the parent is gone."""
    descriptor, seconds, memory = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the parent, which ends this one when it is done
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rb") as jobs:
        bench = Bench()
        while (job := _read(jobs)) is not None:
            # Of processor time: a template waits for nothing, and a busy or sleeping machine is no fault of its.
            signal.setitimer(signal.ITIMER_PROF, seconds)
            answer = _encode(bench.answer(job))
            signal.setitimer(signal.ITIMER_PROF, 0)
            connection.sendall(HEAD.pack(len(answer)) + answer)


def _read(jobs: BinaryIO) -> dict[str, Any] | None:
    head = jobs.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    job: dict[str, Any] = _decode(jobs.read(HEAD.unpack(head)[0]))
    return job


class Bench:
    """Jobs by their name, on the press that the last `documents` filled."""

    def __init__(self) -> None:
        self._press = Press(())

    def answer(self, job: dict[str, Any]) -> dict[str, Any]:
        """`{"done": …}`, or `{"refused": sentence}`."""
        try:
            return {"done": getattr(self, f"_{job['do']}")(job)}
        except RefusedError as error:
            return {"refused": str(error)}
        except MemoryError:
            return {"refused": "it needs too much memory"}
        except RecursionError:
            return {"refused": "it calls itself without end"}
        except TemplateSyntaxError as error:
            return {"refused": f"{error.message} (line {error.lineno})"}
        except TemplateError as error:
            return {"refused": _one_line(error)}
        except Exception as error:  # whatever is raised here, the template or what it was given is at fault
            return {"refused": f"{type(error).__name__}: {_one_line(error)}"}

    def _documents(self, job: dict[str, Any]) -> None:
        self._press = Press(job["documents"])

    def _render(self, job: dict[str, Any]) -> dict[str, Any]:
        return self._press.render(job["name"], job["locale"], job["variables"])

    def _trial(self, job: dict[str, Any]) -> dict[str, Any]:
        return self._press.trial(job["document"], job["locale"], job["variables"])

    def _lint(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        return lint(self._press, job["document"], job["samples"])


def _one_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


if __name__ == "__main__":
    main()
