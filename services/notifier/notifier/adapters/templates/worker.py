"""A child process that renders, as its parent sees it: started when needed, ended when it takes too long, then begun anew."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from csm_common.telemetry.logs import get_logger
from notifier.adapters.templates.child import HEAD
from notifier.application.ports import TemplateError

log = get_logger(__name__)

_CHILD = "notifier.adapters.templates.child"
_LARGEST_ANSWER = 32 * 1024 * 1024
_START_S = 20.0
"""A child answers its first job once it has imported what it needs; on a busy machine that may take seconds."""

_encode = msgspec.msgpack.Encoder(decimal_format="number").encode
_decode = msgspec.msgpack.Decoder().decode


class DiedError(TemplateError):
    """The child died of something else than its limits; with another one it may go well."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one rendering may take: seconds of processor time, and bytes of address space."""

    seconds: float = 2.0
    memory: int = 512 * 1024 * 1024


class Worker:
    """Does one job at a time; whoever uses it sees to that."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self.documents_of: int | None = None
        """The generation of documents that the child has; None after a start."""

    async def ask(self, job: Mapping[str, Any]) -> Any:
        """What the child made of the job; TemplateError where it refuses, dies, or takes too long."""
        try:
            told = _encode(job)
        except (TypeError, ValueError, OverflowError) as error:
            raise TemplateError(f"its context cannot be passed on: {error}") from error
        if self._process is None:
            await self._start()
        try:
            # The child's own timer ends it first; this one is for a child that is stopped, or that nobody schedules.
            async with asyncio.timeout(self._limits.seconds + _START_S):
                answer = await self._exchange(told)
        except TimeoutError:
            self.end()
            raise TemplateError(self._too_long()) from None
        except (ConnectionError, asyncio.IncompleteReadError, msgspec.DecodeError):
            raise self._death() from None
        except BaseException:
            self.end()  # an answer nobody waits for any more would be taken for that of the next job
            raise
        if "refused" in answer:
            raise TemplateError(answer["refused"])
        return answer["done"]

    def end(self) -> int:
        """End the child, whatever it is doing; how it ended."""
        process, self._process, self.documents_of = self._process, None, None
        if process is None:
            return 0
        self._writer.close()
        process.kill()
        return process.wait()

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            limits = (str(self._limits.seconds), str(self._limits.memory))
            # -I: neither the working directory nor anything in the environment decides what is imported.
            command = [sys.executable, "-I", "-m", _CHILD, str(theirs.fileno()), *limits]
            self._process = subprocess.Popen(  # noqa: ASYNC220,S603  (a millisecond, once; our own command)
                command, env={}, cwd="/", stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        self._reader, self._writer = await asyncio.open_connection(sock=ours)

    async def _exchange(self, told: bytes) -> dict[str, Any]:
        self._writer.write(HEAD.pack(len(told)) + told)
        await self._writer.drain()
        size = HEAD.unpack(await self._reader.readexactly(HEAD.size))[0]
        if size > _LARGEST_ANSWER:
            raise ConnectionError("nothing is that long")
        answer: dict[str, Any] = _decode(await self._reader.readexactly(size))
        return answer

    def _death(self) -> TemplateError:
        code = self.end()
        if code == -signal.SIGPROF:
            return TemplateError(self._too_long())
        log.warning("a rendering process died", returncode=code)
        return DiedError(f"the process that rendered it died (exit code {code})")

    def _too_long(self) -> str:
        return f"it takes longer than {self._limits.seconds:g} s"
