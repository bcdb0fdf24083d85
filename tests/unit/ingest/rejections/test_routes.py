"""Rejections over HTTP: listed, counted, and tried again."""

from datetime import timedelta
from typing import Any

import pytest
from tests.support.clock import START
from tests.unit.ingest.bulk_door import BulkDoor
from tests.unit.ingest.rejections.lists_contract import a_rejection

from ingest.application.replays import Selection

PATH = "/v1/rejections"


@pytest.fixture
def door() -> BulkDoor:
    return BulkDoor()


async def keep(door: BulkDoor, *names: str, **told: Any) -> None:
    """Rejections that are there."""
    at = START - timedelta(hours=1)
    await door.rejections.add(
        [a_rejection(name, at + timedelta(minutes=n), **told) for n, name in enumerate(names)]
    )


async def test_a_list_and_one_of_it(door: BulkDoor) -> None:
    await keep(door, "a")

    page = (await door.client.get(PATH)).json()

    (row,) = page["rejections"]
    assert page["next_cursor"] is None
    assert row == {
        "id": a_rejection("a").id, "source": "crm", "format": "cloudevents", "code": "invalid_data",
        "reason": "a is wrong.", "message_id": "a", "times": 1, "received_at": "2026-03-02T08:00:00Z",
        "last_seen_at": "2026-03-02T08:00:00Z", "replayed_at": None, "context": {"line": "3"}, "body": {"a": 1},
    }  # fmt: skip
    assert (await door.client.get(f"{PATH}/{row['id']}")).json() == row


async def test_pages(door: BulkDoor) -> None:
    await keep(door, "a", "b", "c")

    first = (await door.client.get(PATH, params={"limit": 2})).json()
    rest = (await door.client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]})).json()

    assert [each["message_id"] for each in first["rejections"] + rest["rejections"]] == ["c", "b", "a"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["c", "b", "a"]),
        ({"source": "crm", "code": "invalid_data", "format": "cloudevents"}, ["c", "b", "a"]),
        ({"code": "other"}, []),
        ({"status": "replayed"}, []),
        ({"since": "2026-03-02T08:01:00Z", "until": "2026-03-02T10:02:00+02:00"}, ["b"]),
        ({"since": "0001-01-01T00:00:00+14:00", "until": "9999-12-31T23:59:59-14:00"}, ["c", "b", "a"]),
    ],
)
async def test_filters(door: BulkDoor, query: dict[str, str], found: list[str]) -> None:
    await keep(door, "a", "b", "c")

    page = await door.client.get(PATH, params=query)

    assert [each["message_id"] for each in page.json()["rejections"]] == found


async def test_counts(door: BulkDoor) -> None:
    await keep(door, "a", "b")

    assert (await door.client.get(f"{PATH}:counts")).json() == {
        "counts": [
            {
                "source": "crm", "code": "invalid_data", "rejections": 2, "times": 2,
                "last_seen_at": "2026-03-02T08:01:00Z",
            }
        ]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "selection", "limit"),
    [
        ({"all": True}, Selection(), 1_000),
        ({"source": "crm", "code": "invalid_data", "limit": 5}, Selection((), "crm", "invalid_data"), 5),
        ({"ids": [a_rejection("a").id.upper()]}, Selection((a_rejection("a").id,)), 1_000),
    ],
)
async def test_a_replay_is_of_what_was_asked_for(
    door: BulkDoor, asked: dict[str, Any], selection: Selection, limit: int
) -> None:
    answer = await door.client.post(f"{PATH}:replay", json=asked)

    assert answer.json() == {"replayed": 2, "held": 1, "rejected": 1, "reasons": {"invalid_json": 1}}
    assert door.replays.asked == [(selection, limit)]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"all": False},
        {"ids": []},
        {"ids": ["x"]},
        {"source": ""},
        {"source": "a\x00"},
        {"al": True},
        {"all": True, "limit": 0},
    ],
)
async def test_a_replay_must_say_what_it_means(door: BulkDoor, asked: dict[str, Any]) -> None:
    answer = await door.client.post(f"{PATH}:replay", json=asked)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert not door.replays.asked


async def test_who_may_do_what(door: BulkDoor) -> None:
    reader = door.with_scopes("ingest:read")
    assert (await reader.get(PATH)).status_code == 200
    assert (await reader.post(f"{PATH}:replay", json={"all": True})).status_code == 403
    writer = door.with_scopes("ingest:write")
    assert (await writer.post(f"{PATH}:replay", json={"all": True})).status_code == 200
    assert (await writer.get(f"{PATH}:counts")).status_code == 403


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/{a_rejection('none').id}", (404, "not_found")),
        ("/none", (422, "invalid")),
        ("?cursor=bm9uZQ", (400, "invalid")),
        ("?source=a%00b", (422, "invalid")),
        ("?since=yesterday", (422, "invalid")),
        ("?status=gone", (422, "invalid")),
    ],
)
async def test_wrong_questions_are_answered(door: BulkDoor, path: str, expected: tuple[int, str]) -> None:
    answer = await door.client.get(PATH + path)

    assert (answer.status_code, answer.json()["code"]) == expected
