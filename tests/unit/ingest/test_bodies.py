"""Bodies at the door: bounded in size and time, compressed or not."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.support.waiting import eventually
from tests.unit.ingest.door import PATH, Door, event, open_door, refusal

from csm_common.settings import HttpSettings

EVENT = json.dumps(event()).encode()
LIMIT = 100_000


@pytest.fixture
def narrow() -> Door:
    """A door for bodies of at most LIMIT bytes that are here within half a second."""
    return open_door(HttpSettings(max_body_bytes=LIMIT), body_deadline_s=0.5)


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body whose length is not declared."""
    for start in range(0, len(body), 1_000):
        yield body[start : start + 1_000]


async def test_a_declared_body_that_is_too_large_is_not_read(narrow: Door) -> None:
    assert refusal(await narrow.post(b"[" + b" " * LIMIT)) == (413, "too_large")


async def test_a_body_that_grows_too_large_is_cut_off(narrow: Door) -> None:
    too_much = await narrow.client.post(PATH, content=in_pieces(b" " * (LIMIT + 1)))
    enough = await narrow.client.post(PATH, content=in_pieces(b" " * (LIMIT - len(EVENT)) + EVENT))

    assert refusal(too_much) == (413, "too_large")
    # White space counts as the event's own, since its bytes go on as they came.
    assert refusal(enough) == (413, "event_too_large")
    assert (await narrow.client.post(PATH, content=in_pieces(EVENT))).status_code == 202


@pytest.mark.parametrize("label", [{}, {"content-encoding": "gzip"}, {"content-encoding": "br"}])
async def test_compressed_bodies_are_known_by_their_bytes(door: Door, label: dict[str, str]) -> None:
    assert (await door.post(gzip.compress(EVENT), **label)).json()["status"] == "accepted"
    assert (await door.post(EVENT, **label)).json()["status"] == "duplicate"

    assert [each.value for each in door.facts] == [EVENT, EVENT]


@pytest.mark.parametrize(
    ("label", "body"),
    [("deflate", zlib.compress(EVENT)), ("zstd", b"\x28\xb5\x2f\xfd\x04"), ("br", b"\x0b\x02\x80")],
)
async def test_other_compressions_are_refused_by_their_names(door: Door, label: str, body: bytes) -> None:
    answer = await door.post(body, **{"content-encoding": label})

    assert refusal(answer) == (400, "unsupported_encoding")
    assert answer.json()["message"] == f"The body is packed as {label}: only gzip is taken, or none."
    assert refusal(await door.post(body)) == (400, "invalid_json")


async def test_a_body_may_be_compressed_in_several_members(door: Door) -> None:
    body = gzip.compress(EVENT[:50]) + gzip.compress(EVENT[50:])

    assert (await door.post(body)).status_code == 202
    assert door.facts[0].value == EVENT


async def test_the_inflated_body_is_bounded(narrow: Door) -> None:
    bomb = gzip.compress(b" " * 50_000_000)

    assert len(bomb) < LIMIT
    assert refusal(await narrow.post(bomb)) == (413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(EVENT, mtime=0)[:-4],
        gzip.compress(EVENT, mtime=0)[:30],
        b"\x1f\x8b",
        b"\x1f\x8bnot gzip at all",
        gzip.compress(EVENT) + b"x",
    ],
)
async def test_damaged_gzip_is_refused(door: Door, body: bytes) -> None:
    assert refusal(await door.post(body)) == (400, "invalid_gzip")
    assert not door.facts


async def call(door: Door, receive: Any) -> tuple[int, dict[str, Any]]:
    """Status and problem of the app's answer to a client that sends by `receive`."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {door.token}".encode()), (b"content-length", b"100")]
    scope = {"type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "root_path": ""}
    scope |= {"scheme": "http", "query_string": b"", "headers": headers, "http_version": "1.1"}
    await door.app(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.parametrize("length", [len(EVENT), 7])
async def test_a_body_may_come_in_one_piece_or_many(narrow: Door, length: int) -> None:
    pieces = [EVENT[start : start + length] for start in range(0, len(EVENT), length)]
    messages = iter(
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, start=1)
    )

    async def receive(messages: Iterator[dict[str, Any]] = messages) -> dict[str, Any]:
        return next(messages)

    status, _ = await call(narrow, receive)
    assert status == 202
    assert [each.value for each in narrow.facts] == [EVENT]


async def test_a_sender_that_stalls_is_not_waited_for(narrow: Door) -> None:
    pieces = iter([{"type": "http.request", "body": EVENT[:50], "more_body": True}])

    async def receive() -> dict[str, Any]:
        for piece in pieces:
            return piece
        await asyncio.Event().wait()
        raise AssertionError("nothing ever comes")

    status, problem = await call(narrow, receive)

    assert (status, problem["code"]) == (408, "body_timeout")


@pytest.mark.parametrize("before", [[], [{"type": "http.request", "body": EVENT[:50], "more_body": True}]])
async def test_a_sender_that_hangs_up_is_no_error_of_ours(narrow: Door, before: list[dict[str, Any]]) -> None:
    pieces = iter([*before, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(pieces)

    status, problem = await call(narrow, receive)

    assert (status, problem["code"]) == (400, "incomplete_body")


async def test_an_inflated_body_is_held_at_its_greatest_size() -> None:
    door = open_door(HttpSettings(max_body_bytes=LIMIT), max_bytes_in_flight=LIMIT)

    with door.brokers.pausing():
        waiting = asyncio.create_task(door.post(event()))
        await eventually(lambda: door.brokers.waiting)
        assert refusal(await door.post(gzip.compress(EVENT))) == (503, "overloaded")
    assert (await waiting).status_code == 202
    assert (await door.post(gzip.compress(EVENT))).status_code == 202
