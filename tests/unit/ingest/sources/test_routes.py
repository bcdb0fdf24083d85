"""The health of sources over HTTP."""

import pytest
from tests.support.clock import START
from tests.unit.ingest.bulk_door import BulkDoor
from tests.unit.ingest.sources.sources_contract import MINUTE, a_minute, a_violation

PATH = "/v1/sources"
NOBODY = {"accepted": 0, "duplicates": 0, "rejected": 0, "held": 0, "late": 0}


@pytest.fixture
def door() -> BulkDoor:
    return BulkDoor()


@pytest.mark.parametrize(
    "source", ["crm", "sdk/web-app", "/import/acme", "https://acme.example/crm", "a/health", "ü b"]
)
async def test_a_source_is_told_how_it_is_doing(door: BulkDoor, source: str) -> None:
    await door.sources.add(
        [a_minute(source, accepted=6, rejected=4, skew_s=2.5), a_minute(source, START - MINUTE, accepted=30)],
        [a_violation(source=source, times=4)],
    )

    answer = await door.client.get(f"{PATH}/{source}/health")

    assert answer.json() == {
        "source": source,
        "last_event_at": "2026-03-02T09:00:00Z",
        "rates_per_minute": {"m1": 40.0, "m5": 8.0, "m60": 0.67},
        "last_24h": NOBODY | {"accepted": 36, "rejected": 4},
        "open_rejections": 0,
        "clock_skew_s": 2.5,
        "violations": [
            {
                "name": "Report Viewed", "path": "$.id", "rule": "type", "times": 4, "example": "4",
                "first_at": "2026-03-02T09:00:00Z", "last_at": "2026-03-02T09:00:00Z",
            }
        ],
    }  # fmt: skip


async def test_sources_are_listed_in_pages(door: BulkDoor) -> None:
    await door.sources.add([a_minute(name, accepted=1) for name in ("c", "a", "b")], [])

    first = (await door.client.get(PATH, params={"limit": 2})).json()
    rest = (await door.client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]})).json()

    assert [each["source"] for each in first["sources"] + rest["sources"]] == ["a", "b", "c"]
    assert first["sources"][0]["last_24h"] == NOBODY | {"accepted": 1}
    assert rest["next_cursor"] is None


async def test_violations_are_listed_in_pages(door: BulkDoor) -> None:
    await door.sources.add([], [a_violation(name, START + n * MINUTE) for n, name in enumerate("abc")])
    path = f"{PATH}/crm/violations"

    first = (await door.client.get(path, params={"limit": 2})).json()
    rest = (await door.client.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()

    assert [each["name"] for each in first["violations"] + rest["violations"]] == ["c", "b", "a"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/nobody/health", (404, "not_found")),
        ("/a%00/health", (422, "invalid")),
        ("/a%00/violations", (422, "invalid")),
        ("?cursor=WyJcdTAwMDAiXQ", (400, "invalid")),  # a NUL in a cursor that somebody made up
        ("/crm/violations?cursor=bm9uZQ", (400, "invalid")),
    ],
)
async def test_wrong_questions_are_answered(door: BulkDoor, path: str, expected: tuple[int, str]) -> None:
    answer = await door.client.get(PATH + path)

    assert (answer.status_code, answer.json()["code"]) == expected


async def test_a_source_without_violations_has_an_empty_list(door: BulkDoor) -> None:
    assert (await door.client.get(f"{PATH}/nobody/violations")).json() == {
        "violations": [],
        "next_cursor": None,
    }


async def test_reading_needs_the_scope(door: BulkDoor) -> None:
    assert (await door.with_scopes("events:write").get(PATH)).status_code == 403
    assert (await door.with_scopes("ingest:read").get(PATH)).status_code == 200
