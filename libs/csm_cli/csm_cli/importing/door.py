"""Ingest's HTTP door as the import sees it: a batch is sent until it is acknowledged or the answer is final.

A batch that is sent again is deduplicated by the ids of its events, so every doubtful outcome is tried again.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from csm_common.contracts.envelope import BATCH_CONTENT_TYPE
from csm_common.errors import CsmError, FatalError, PermanentError, TransientError

PATH = "/v1/events"
REQUEST_TIMEOUT_S = 30.0
TRANSIENT_STATUSES = frozenset({408, 425, 429})  # and everything from 500 on

ALL_REJECTED_STATUS = 400  # for a batch of which nothing was taken; it lists the reasons as a success does


class Refusal(msgspec.Struct, frozen=True):
    """One event of a batch that ingest did not take; `index` is its place in the batch."""

    index: int
    code: str = "rejected"
    message: str = ""


class _Acknowledgement(msgspec.Struct):
    accepted: int
    rejected: int
    results: list[Refusal] = []


class _Problem(msgspec.Struct):
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits double from `first_s` to `longest_s`, with jitter; after `total_s` without an answer the import gives up."""

    first_s: float = 0.2
    longest_s: float = 10.0
    total_s: float = 300.0


def connect() -> httpx.AsyncClient:
    """The client for a door."""
    # Servers close connections that idle for 5 s; one that is given up earlier here is never met half closed.
    return httpx.AsyncClient(timeout=REQUEST_TIMEOUT_S, limits=httpx.Limits(keepalive_expiry=2.0))


class Door:
    """Sends batches. `waiting` is told why nothing moves when a batch has to be sent again."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        key: str,
        *,
        patience: Patience | None = None,
        waiting: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._url = url.rstrip("/") + PATH
        self._headers = {"content-type": BATCH_CONTENT_TYPE, "authorization": f"Bearer {key}"}
        self._patience = patience or Patience()
        self._waiting = waiting
        self._sleep = sleep
        self._clock = clock

    async def send(self, events: Sequence[bytes]) -> list[Refusal]:
        """The refused events; all others are acknowledged.

        PermanentError when the batch as a whole is refused, TransientError when patience is at its end.
        """
        started, wait = self._clock(), self._patience.first_s
        while True:
            try:
                return await self._attempt(events)
            except TransientError as error:
                if self._clock() - started > self._patience.total_s:
                    raise TransientError(
                        f"{error.message} It was tried for {self._patience.total_s:g} s."
                    ) from error
                self._waiting(error.message)
                await self._sleep(max(error.retry_after, wait * random.uniform(0.5, 1.0)))  # noqa: S311 - jitter
                wait = min(wait * 2, self._patience.longest_s)

    async def _attempt(self, events: Sequence[bytes]) -> list[Refusal]:
        body = b"[" + b",".join(events) + b"]"
        try:
            response = await self._client.post(self._url, content=body, headers=self._headers)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise TransientError(
                f"Ingest at {self._url} does not answer: {reason}.", retry_after=0
            ) from error
        if response.status_code == 413 and len(events) > 1:
            return await self._halved(events)
        return _acknowledged(response, len(events))

    async def _halved(self, events: Sequence[bytes]) -> list[Refusal]:
        middle = len(events) // 2
        first = await self.send(events[:middle])
        second = await self.send(events[middle:])
        return first + [msgspec.structs.replace(each, index=each.index + middle) for each in second]


def _acknowledged(response: httpx.Response, sent: int) -> list[Refusal]:
    answer = _account(response)
    if answer.accepted + answer.rejected != sent or answer.rejected != len(answer.results):
        raise FatalError(
            f"Ingest was sent {sent} events and tells of {answer.accepted} accepted and {answer.rejected} rejected, "
            f"{len(answer.results)} of them with a reason; the rest is unaccounted for."
        )
    return answer.results


def _account(response: httpx.Response) -> _Acknowledgement:
    try:
        if response.status_code < 300 or response.status_code == ALL_REJECTED_STATUS:
            return msgspec.json.decode(response.content, type=_Acknowledgement)
    except msgspec.DecodeError as error:
        if response.status_code < 300:
            raise FatalError(f"{response.url} does not answer as ingest does: {error}.") from error
    raise _error(response)


def _error(response: httpx.Response) -> CsmError:
    status = response.status_code
    told = _told(response)
    sentence = f"Ingest at {response.url} answered {status}{told}."
    if status >= 500 or status in TRANSIENT_STATUSES:
        return TransientError(sentence, retry_after=_retry_after(response))
    hints = {
        401: "Give a valid API key.",
        403: "The key needs the scope events:write.",
        404: "Check the address: it is ingest's, without a path.",
    }
    return PermanentError(f"{sentence} {hints.get(status, '')}".rstrip(), code="refused")


def _told(response: httpx.Response) -> str:
    try:
        problem = msgspec.json.decode(response.content, type=_Problem)
    except msgspec.DecodeError:
        return ""
    return f" ({problem.code}: {problem.message.rstrip('.')})" if problem.code else ""


def _retry_after(response: httpx.Response) -> float:
    told = response.headers.get("retry-after", "")
    try:
        if told.isdecimal():
            return float(told)
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
