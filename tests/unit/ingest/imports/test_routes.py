"""Imports over HTTP: whatever is sent is answered with how far it came."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.support.clock import START
from tests.support.waiting import eventually
from tests.unit.ingest.bulk_door import BulkDoor
from tests.unit.ingest.door import refusal
from tests.unit.ingest.imports.test_file import HEADER, TIME
from tests.unit.ingest.imports.test_run import lines

from ingest.application.imports.job import ImportJob
from ingest.application.imports.limits import ImportLimits

PATH = "/v1/imports"
ROWS = HEADER + f"1,crm,csm.usage.recorded,acme,{TIME},x,3\n"


@pytest.fixture
def door() -> BulkDoor:
    return BulkDoor()


async def in_pieces(body: bytes, size: int = 100) -> AsyncIterator[bytes]:
    """A body whose length is not declared."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("packed", [False, True])
async def test_a_file_is_taken_as_it_arrives(door: BulkDoor, packed: bool) -> None:
    body = lines(25).encode()

    answer = await door.client.post(
        PATH, params={"id": "march"}, content=in_pieces(gzip.compress(body) if packed else body)
    )

    assert answer.status_code == 200
    assert answer.json() == {
        "id": "march", "status": "done", "format": "ndjson", "source": None, "backfill": False, "lines": 25,
        "bytes": len(body), "accepted": 25, "duplicates": 0, "rejected": 0, "reasons": {}, "problem": None,
        "started_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z", "ended_at": "2026-03-02T09:00:00Z",
    }  # fmt: skip
    assert (await door.client.get(f"{PATH}/march")).json() == answer.json()
    assert door.budget.held == 0


async def test_a_body_may_be_larger_than_other_routes_allow(door: BulkDoor) -> None:
    body = lines(700, data={"text": "x" * 3_000})

    answer = await door.client.post(PATH, content=body)

    assert len(body) > 2_000_000
    assert answer.json()["accepted"] == 700


@pytest.mark.parametrize(
    ("query", "label", "body", "format"),
    [
        ({"format": "csv"}, "application/x-ndjson", ROWS, "csv"),
        ({}, "text/csv; charset=utf-8", ROWS, "csv"),
        ({}, "application/octet-stream", ROWS, "csv"),
        ({}, "application/x-ndjson", lines(1), "ndjson"),
        ({}, "", lines(1), "ndjson"),
    ],
)
async def test_the_format_is_told_or_seen(
    door: BulkDoor, query: dict[str, str], label: str, body: str, format: str
) -> None:
    answer = await door.client.post(PATH, params=query, content=body, headers={"content-type": label})

    assert (answer.json()["format"], answer.json()["accepted"]) == (format, 1)


async def test_defaults_and_backfill_come_from_the_query(door: BulkDoor) -> None:
    body = f"subject,time,data.feature\nacme,{TIME},x\n"
    query: dict[str, Any] = {"source": "crm", "type": "csm.usage.recorded", "backfill": True}

    answer = await door.client.post(PATH, params=query, content=body)

    assert (answer.json()["source"], answer.json()["backfill"]) == ("crm", True)
    first, ended = door.taker.events.values()
    assert (first["source"], first["type"], first["backfill"]) == ("crm", "csm.usage.recorded", True)
    assert ended["type"] == "csm.backfill.ended"


async def test_an_import_without_an_id_gets_one_of_its_own(door: BulkDoor) -> None:
    ids = [(await door.client.post(PATH, content=lines(1))).json()["id"] for _ in range(2)]

    assert len(set(ids)) == 2
    assert {each["id"] for each in (await door.client.get(PATH)).json()["imports"]} == set(ids)


async def test_brokers_that_stay_away_are_told_with_how_far_it_came(door: BulkDoor) -> None:
    door.taker.takes = 1

    answer = await door.client.post(PATH, content=lines(5))

    assert refusal(answer) == (503, "brokers_unavailable")
    assert answer.headers["retry-after"] == "2"
    told = answer.json()["import"]
    assert (told["status"], told["accepted"], told["lines"]) == ("interrupted", 2, 2)
    assert "line 2" in answer.json()["message"]


async def test_a_full_house_is_told_before_anything_is_read(door: BulkDoor) -> None:
    with door.budget.hold() as hold:
        hold.grow(door.budget.limit)
        answer = await door.client.post(PATH, content=lines(1))

    assert refusal(answer) == (503, "overloaded")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_import"),
        (b"[]", "not_lines"),
        (b"a,b\n1,2\n", "invalid_header"),
        (gzip.compress(lines(5).encode(), mtime=0)[:-4], "invalid_gzip"),
    ],
)
async def test_what_is_no_file_is_refused_and_told(door: BulkDoor, body: bytes, code: str) -> None:
    answer = await door.client.post(PATH, params={"id": "march"}, content=body)

    assert refusal(answer) == (400, code)
    assert answer.json()["import"]["status"] == "failed"
    assert (await door.client.get(f"{PATH}/march")).json()["problem"] == answer.json()["message"]


async def test_a_file_beyond_the_limit_is_cut_off() -> None:
    door = BulkDoor(ImportLimits(max_bytes=10_000))

    assert refusal(await door.client.post(PATH, content=gzip.compress(bytes(9_000_000)))) == (
        413,
        "too_large",
    )


async def test_one_id_is_one_import_at_a_time(door: BulkDoor) -> None:
    await door.jobs.begin(ImportJob(id="march", started_at=START, updated_at=START))

    answer = await door.client.post(PATH, params={"id": "march"}, content=lines(1))

    assert refusal(answer) == (409, "import_running")


async def test_a_sender_that_falls_silent_is_not_waited_for() -> None:
    door = BulkDoor(ImportLimits(idle_s=0.05))

    async def silent() -> AsyncIterator[bytes]:
        yield lines(1).encode()
        await asyncio.Event().wait()

    answer = await door.client.post(PATH, params={"id": "march"}, content=silent())

    assert refusal(answer) == (408, "body_timeout")
    assert door.jobs.jobs["march"].status == "interrupted"


async def test_a_restart_is_told_to_those_who_are_still_sending(door: BulkDoor) -> None:
    stop = asyncio.Event()
    leaving = asyncio.create_task(door.importing.leaving.run(stop))

    async def slow() -> AsyncIterator[bytes]:
        yield lines(3).encode()
        await asyncio.Event().wait()

    sending = asyncio.create_task(door.client.post(PATH, params={"id": "march"}, content=slow()))
    await eventually(lambda: door.taker.batches)
    stop.set()

    assert refusal(await sending) == (503, "restarting")
    assert door.jobs.jobs["march"].status == "interrupted"
    assert door.jobs.jobs["march"].accepted == 2
    assert refusal(await door.client.post(PATH, content=lines(1))) == (503, "restarting")
    await leaving


async def test_a_sender_that_hangs_up_leaves_an_interrupted_import(door: BulkDoor) -> None:
    pieces = iter(
        [{"type": "http.request", "body": lines(3).encode(), "more_body": True}, {"type": "http.disconnect"}]
    )
    headers = [(b"authorization", door.client.headers["authorization"].encode())]
    scope = {"type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "root_path": ""}
    scope |= {"scheme": "http", "query_string": b"id=march", "headers": headers, "http_version": "1.1"}
    sent: list[Any] = []

    async def receive() -> Any:
        return next(pieces)

    async def send(message: Any) -> None:
        sent.append(message)

    await door.app(scope, receive, send)

    assert door.jobs.jobs["march"].status == "interrupted"
    assert door.jobs.jobs["march"].accepted == 2
    assert sent[0]["status"] == 400


async def test_imports_are_listed_in_pages(door: BulkDoor) -> None:
    for number in range(5):
        await door.client.post(PATH, params={"id": f"import-{number}"}, content=lines(1))

    first = (await door.client.get(PATH, params={"limit": 3})).json()
    rest = (await door.client.get(PATH, params={"limit": 3, "cursor": first["next_cursor"]})).json()

    assert [each["id"] for each in first["imports"] + rest["imports"]] == [
        f"import-{n}" for n in (4, 3, 2, 1, 0)
    ]
    assert rest["next_cursor"] is None


async def test_who_may_do_what(door: BulkDoor) -> None:
    writer = door.with_scopes("events:write")
    assert (await writer.post(PATH, content=lines(1))).status_code == 200
    assert refusal(await writer.get(PATH)) == (403, "forbidden")
    reader = door.with_scopes("ingest:read")
    assert (await reader.get(PATH)).status_code == 200
    assert refusal(await reader.post(PATH, content=lines(1))) == (403, "forbidden")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/nothing", (404, "not_found")),
        ("?cursor=made-up", (400, "invalid")),
        ("?limit=0", (422, "invalid")),
        ("/a%20b", (422, "invalid")),
    ],
)
async def test_wrong_questions_are_answered(door: BulkDoor, path: str, expected: tuple[int, str]) -> None:
    answer = await door.client.get(PATH + path)

    assert (answer.status_code, answer.json()["code"]) == expected


async def test_events_are_json_whatever_they_hold(door: BulkDoor) -> None:
    odd = json.dumps(
        {"type": "acme.seen", "subject": "é\u2028", "time": TIME, "data": {"\u0000": [None, 1e300, -0.0]}}
    )

    answer = await door.client.post(PATH, params={"source": "crm"}, content=odd)

    assert answer.json()["accepted"] == 1
    (event,) = door.taker.events.values()
    assert event["data"] == {"\u0000": [None, 1e300, -0.0]}
