"""Connections to checked addresses alone: a name is resolved, its addresses are checked, one of exactly those is connected to.

Checking earlier would be of no use: between the check and the connection a name can change its address ("DNS rebinding").
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

import httpcore

from notifier.domain.public_addresses import AddressRules

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, best first; OSError where it has none."""

_LOOKUPS_AT_ONCE = 32
_FAMILIES = (socket.AF_INET, socket.AF_INET6)


class NotPublicError(Exception):
    """None of the host's addresses may be connected to."""


class UnknownNameError(httpcore.ConnectError):
    """No name server knows an address of the host."""


class SystemResolver:
    """Asks as all programs of the machine do, but in threads of its own: a name server that hangs must hold up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, thread_name_prefix="resolver")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Implements Resolve."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, self._look_up, host, port)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Wait for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look_up(self, host: str, port: int) -> list[str]:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [str(address[0]) for family, _, _, _, address in infos if family in _FAMILIES]


class _Connection(httpcore.AsyncNetworkStream):
    """A connection that is closed too when it is given up in the middle of the TLS handshake, which httpcore leaves open."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """From the connection."""
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Into the connection."""
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Hang up."""
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of a connection: whether it is readable, its socket."""
        return self._inner.get_extra_info(info)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """The stream above TLS."""
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._inner.aclose()
            raise


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens the connections of an httpcore pool. TLS is made above it and still verifies the name, not the address."""

    def __init__(self, rules: AddressRules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """To the first address that may be and answers within `timeout` seconds; NotPublicError where none may be."""
        failure: Exception = UnknownNameError()
        for address in await self._checked(host, port):
            try:
                return _Connection(
                    await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise NotPublicError

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that no name server could know
            raise UnknownNameError from error
        allowed = [each for each in found if self._rules.allow(host, ip_address(each))]
        if found and not allowed:
            raise NotPublicError
        return allowed
