"""The load generator: connections that each send their next request as soon as the last is answered, for a bounded time.

    python -m benchmarks.ingest.load PORT KEY EVENTS_EACH CONNECTIONS SECONDS

Prints how many requests were answered 202, how many 503, and the seconds it took; dies of any other answer.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count, cycle

import uvloop

from benchmarks.ingest.events import PLACE, bodies

_HEAD = "POST /v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n"
_HEAD += "content-type: application/cloudevents+json\r\ncontent-length: {length}\r\n\r\n"


_PLACE = PLACE.encode()


async def _connection(port: int, requests: list[bytes], numbers: Iterator[int], until: float) -> Counter[int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers: Counter[int] = Counter()
    for request in cycle(requests):
        if time.monotonic() > until:
            break
        writer.write(request.replace(_PLACE, b"%016x" % next(numbers)))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        status = int(head.split(b" ", 2)[1])
        if status not in (202, 503):
            raise SystemExit(f"{head.decode()}{body.decode()}")
        answers[status] += 1
    writer.close()
    return answers


async def _load(port: int, key: str, events_each: int, connections: int, seconds: float) -> None:
    requests = [_HEAD.format(key=key, length=len(body)).encode() + body for body in bodies(events_each)]
    began = time.monotonic()
    until = began + seconds
    numbers = count(time.time_ns())
    answers = await asyncio.gather(*(_connection(port, requests, numbers, until) for _ in range(connections)))
    total = sum(answers, Counter())
    print(total[202], total[503], time.monotonic() - began)


if __name__ == "__main__":
    _port, _key, _each, _connections, _seconds = sys.argv[1:]
    uvloop.run(_load(int(_port), _key, int(_each), int(_connections), float(_seconds)))
