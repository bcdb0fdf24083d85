"""HTTP out of the notifier that cannot be turned inwards: checked addresses, no redirects, bounded time and answers, no URL told.

Over httpcore and not httpx's client: that one has no public door for the check at connect time, and logs every URL. Slack's is a
secret.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpcore
import httpx

from csm_common.clock import Clock, SystemClock
from csm_common.errors import InvalidError
from notifier.adapters.deadlines import AbandonedError, Deadlines
from notifier.adapters.guarded_connections import (
    GuardedBackend,
    NotPublicError,
    Resolve,
    SystemResolver,
    UnknownNameError,
)
from notifier.adapters.http_answers import by_status
from notifier.domain.delivery import Answer, Outcome
from notifier.domain.public_addresses import AddressRules, is_odd_number, literal

TIMEOUT_S = 10.0
"""For all of a request, from looking the name up to the end of the answer, however the server dribbles."""

_CONNECT_S = 3.0
_KEPT = 100
_KEPT_S = 4.0  # less than the 5 s after which common servers hang up: a request into a closing connection ends unknown
_NAME = re.compile(r"[a-z0-9._-]{1,253}")
_LONGEST_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with the body behind it: None where there was none, or it did not end, or was longer than anybody reads."""

    answer: Answer
    body: bytes | None = None


@dataclass(slots=True)
class _Progress:
    """How far a request got: nothing has gone out before `written`; `status` is there once the receiver has answered."""

    written: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    async def trace(self, event: str, _: Mapping[str, Any]) -> None:
        """Listens to httpcore."""
        self.written = self.written or event.endswith("send_request_headers.started")


class Outbound:
    """Posts to URLs that others have set. Keeps connections for a moment; `close` it."""

    def __init__(
        self,
        rules: AddressRules,
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
        clock: Clock | None = None,
    ) -> None:
        self.rules = rules
        self._resolver = SystemResolver()
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()
        self._deadlines = Deadlines()
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpcore.default_ssl_context(),
            max_connections=None,  # who sends bounds how much there is at once
            max_keepalive_connections=_KEPT,
            keepalive_expiry=_KEPT_S,
            network_backend=GuardedBackend(rules, resolve or self._resolver),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up."""
        await self._pool.aclose()
        self._resolver.close()

    def abandon(self) -> None:
        """Give up on what is being sent right now: it answers at once, and no endpoint is blamed."""
        self._deadlines.end()

    async def post(
        self, url: str, *, content: bytes, headers: Mapping[str, str], timeout_s: float | None = None
    ) -> Answer:
        """Post once, and tell how it was answered; whatever goes wrong is an answer too."""
        return (await self.exchange(url, content=content, headers=headers, timeout_s=timeout_s)).answer

    async def exchange(
        self, url: str, *, content: bytes, headers: Mapping[str, str], timeout_s: float | None = None
    ) -> Reply:
        """The same with the answer's body."""
        try:
            target = check_url(url, self.rules)
        except InvalidError as error:
            return Reply(Answer("refused", error.message))
        progress = _Progress()
        budget = self._timeout_s if timeout_s is None else timeout_s
        try:
            async with self._deadlines.within(budget):
                body = await self._exchange(target, content, headers, progress)
        except AbandonedError:
            return Reply(
                self._cut_off(
                    _host(target), "was not waited for, as the service stops", progress, fault=False
                )
            )
        except TimeoutError:
            return Reply(self._cut_off(_host(target), f"took longer than {budget:g} s", progress))
        except NotPublicError:
            return Reply(Answer("refused", _not_public(_host(target))))
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            return Reply(self._cut_off(_host(target), _what_happened(error, progress), progress))
        return Reply(self._answered(_host(target), progress), body)

    async def _exchange(
        self, target: httpx.URL, content: bytes, headers: Mapping[str, str], progress: _Progress
    ) -> bytes | None:
        request = httpcore.Request(
            "POST",
            httpcore.URL(
                scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
            ),
            headers=[("host", target.netloc), ("content-length", str(len(content))), *headers.items()],
            content=content,
            extensions={"timeout": {"connect": _CONNECT_S}, "trace": progress.trace},
        )
        response = await self._pool.handle_async_request(request)
        try:
            progress.headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
            progress.status = response.status
            return await _first_bytes(response)
        finally:
            await response.aclose()

    def _answered(self, host: str, progress: _Progress) -> Answer:
        assert progress.status is not None  # noqa: S101 - for the type checker
        return by_status(host, progress.status, progress.headers, self._clock.now())

    def _cut_off(self, host: str, told: str, progress: _Progress, *, fault: bool = True) -> Answer:
        """Where the exchange broke off: an answer whose status came counts, whatever became of its body."""
        if progress.status is not None:
            return self._answered(host, progress)
        outcome: Outcome = "unknown" if progress.written else "deferred"
        return Answer(outcome, f"{host} {told}", fault=fault)


def check_url(url: str, rules: AddressRules) -> httpx.URL:
    """The URL taken apart. InvalidError with a sentence, without the URL's path and query, where nothing may be posted there.

    Tells mistakes at once; where a name leads is known only when it is connected to.
    """
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:  # ValueError: text that is none in any encoding
        raise InvalidError("this is no URL; write one like https://hooks.example.com/path") from error
    host = _host(target)
    if target.scheme not in ("https", "http") or not host:
        raise InvalidError("a URL here begins with https:// and a host")
    if target.userinfo:
        raise InvalidError(f"{host}: the URL must not hold a user name or password; use a secret to sign")
    address = literal(host)
    if "%" in host or is_odd_number(host) or (address is None and not _NAME.fullmatch(host)):
        raise InvalidError(f"{host}: write the host as a name, or its address in the usual form")
    if target.port is not None and not 0 < target.port < 65536:
        raise InvalidError(f"{host}: a port is a number from 1 to 65535")
    if address is not None and not rules.allow(host, address):
        raise InvalidError(_not_public(host))
    if target.scheme == "http" and not rules.lists(host):
        raise InvalidError(
            f"{host}: only https:// is sent to; or add the host to CSM_NOTIFIER__ALLOWED_HOSTS"
        )
    return target


def _host(target: httpx.URL) -> str:
    """As it is looked up: names beyond ASCII encoded, IPv6 addresses without brackets."""
    return target.raw_host.decode("ascii")


def _not_public(host: str) -> str:
    return (
        f"{host}: the address is not public; add it to CSM_NOTIFIER__ALLOWED_NETWORKS,"
        " or the name to CSM_NOTIFIER__ALLOWED_HOSTS, if it is meant"
    )


async def _first_bytes(response: httpcore.Response) -> bytes | None:
    """The body as it came, never unpacked; None where it is longer than anybody reads."""
    body = b""
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            return None
    return body


def _what_happened(error: Exception, progress: _Progress) -> str:
    if progress.written:
        return "closed the connection, or gave no answer that is HTTP"
    cause = _tls_failure(error)
    if cause is not None:
        return f"could not be spoken to over TLS: {cause.reason or type(cause).__name__}"
    if isinstance(error, httpcore.TimeoutException):
        return f"could not be reached within {_CONNECT_S:g} s"
    if isinstance(error, UnknownNameError):
        return "could not be reached: its name could not be resolved"
    return "could not be reached: no connection"


def _tls_failure(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None
