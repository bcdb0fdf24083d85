"""The limits: client libraries in a loop, with the same bytes to the same receivers, as many at once as the notifier has."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
from aiosmtplib import SMTP

from benchmarks.notifier.requests import calls


async def mails_per_s(port: int, mail: bytes, count: int, connections: int) -> float:
    """Over so many connections that are kept."""

    async def send(numbers: list[int]) -> None:
        client = SMTP(hostname="127.0.0.1", port=port, local_hostname="bare.test", timeout=30)
        await client.connect()
        for number in numbers:
            await client.sendmail("cs@vendor.example", [f"acct-{number}@vendor.example"], mail)
        await client.quit()

    return await _rate(send, count, connections)


async def calls_per_s(url: str, endpoints: int, count: int, at_once: int) -> float:
    """By httpx, without a signature."""
    body = calls(1, ["none"])[0].value or b""
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=at_once)) as client:

        async def send(numbers: list[int]) -> None:
            for number in numbers:
                headers = {"webhook-id": f"bare-{number}", "content-type": "application/json"}
                await client.post(f"{url}/hook/{number % endpoints}", content=body, headers=headers)

        return await _rate(send, count, at_once)


async def _rate(send: Callable[[list[int]], Awaitable[None]], count: int, workers: int) -> float:
    began = time.perf_counter()
    await asyncio.gather(*(send(list(range(first, count, workers))) for first in range(workers)))
    return count / (time.perf_counter() - began)
