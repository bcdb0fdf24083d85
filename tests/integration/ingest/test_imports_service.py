"""Imports, rejections and sources through the whole service, over a real PostgreSQL and a real broker."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.integration.ingest.service import Service, running
from tests.support import logs
from tests.support.brokers import KINDS, Broker
from tests.support.postgres import Database
from tests.support.waiting import eventually, let_pass
from tests.unit.ingest.door import event

from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database.engine import create_engine
from csm_common.web.keys import KeyStore

PATH = "/v1/imports"
DEADLINE_S = 6.0
"""After so long the service takes a batch for lost, and sends it again."""

pytestmark = pytest.mark.parametrize("fresh_broker", KINDS[:1], indirect=True)


@pytest.fixture
async def client(database: Database, fresh_broker: Broker) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running service with a key that may do everything."""
    engine = create_engine(database.admin_dsn)
    key = await KeyStore(engine).create(name="operator", scopes=["*"])
    await engine.dispose()
    async with running(database, fresh_broker.settings) as service:
        await service.until_ready()
        yield with_key(service, key)


def with_key(service: Service, key: str) -> httpx.AsyncClient:
    """The service's client with another key."""
    service.client.headers["authorization"] = f"Bearer {key}"
    return service.client


def ndjson(*events: dict[str, Any]) -> str:
    """One event a line."""
    return "".join(json.dumps(each) + "\n" for each in events)


async def ids_on_the_log(broker: Broker, prefix: str, count: int) -> list[str]:
    """Ids that begin so, in the order of the log, once it has so many records."""
    records = await logs.read(broker.settings, CUSTOMER_EVENTS.name, count)
    ids = [json.loads(each.value or b"")["id"] for each in records]
    return [each for each in ids if each.startswith(prefix)]


async def test_a_file_is_on_the_log_its_bad_lines_are_rejections_and_again_nothing_counts_twice(
    client: httpx.AsyncClient, fresh_broker: Broker
) -> None:
    good = [event(id=f"file-{number}", subject=f"a-{number % 7}") for number in range(1_200)]
    body = gzip.compress((ndjson(*good) + "{\n" + ndjson(event(id="file-bad", subject=""))).encode())

    first = await client.post(PATH, params={"id": "march"}, content=body)
    again = await client.post(PATH, params={"id": "march"}, content=body)

    assert first.status_code == 200, first.text
    job = first.json()
    assert (job["status"], job["lines"], job["accepted"], job["duplicates"]) == ("done", 1_202, 1_200, 0)
    assert job["reasons"] == {"invalid_json": 1, "invalid_subject": 1}
    assert (again.json()["accepted"], again.json()["duplicates"]) == (0, 1_200)

    rejected = (await client.get("/v1/rejections")).json()["rejections"]
    assert {(each["code"], each["context"]["line"], each["context"]["import"]) for each in rejected} == {
        ("invalid_json", "1201", "march"),
        ("invalid_subject", "1202", "march"),
    }
    assert all(each["times"] == 2 for each in rejected)
    assert len(set(await ids_on_the_log(fresh_broker, "file-", 1_200))) == 1_200

    async def told() -> dict[str, Any] | None:
        answer = await client.get("/v1/sources/urn:acme:app/health")
        counts: dict[str, Any] = answer.json().get("last_24h", {})
        return answer.json() if counts.get("duplicates") == 1_200 else None

    health = await eventually(told, what="the counts of the source are written down")
    assert health["last_24h"]["accepted"] == 1_200
    assert health["rates_per_minute"]["m60"] > 0


async def test_rows_become_typed_facts(client: httpx.AsyncClient) -> None:
    rows = "subject,time,type,data.feature,data.quantity\n" + "".join(
        f"acme,2026-03-02T09:00:00Z,csm.usage.recorded,reports,{number}\n" for number in ("3", "many", "-1")
    )

    answer = await client.post(
        PATH, params={"source": "crm"}, content=rows, headers={"content-type": "text/csv"}
    )

    assert answer.json()["accepted"] == 1
    assert answer.json()["reasons"] == {"not_a_number": 1, "invalid_data": 1}
    counts = (await client.get("/v1/rejections:counts")).json()["counts"]
    assert {(each["source"], each["code"]) for each in counts} == {
        ("crm", "not_a_number"),
        ("crm", "invalid_data"),
    }


async def test_a_broker_that_goes_away_and_comes_back_is_only_a_pause(
    client: httpx.AsyncClient, fresh_broker: Broker
) -> None:
    pause, go_on = asyncio.Event(), asyncio.Event()

    async def sent() -> AsyncIterator[bytes]:
        yield ndjson(*(event(id=f"pause-{number}") for number in range(500))).encode()
        pause.set()
        await go_on.wait()
        yield ndjson(*(event(id=f"pause-{number}") for number in range(500, 1_000))).encode()

    async def is_durable() -> bool:
        return bool((await client.get(f"{PATH}/pause")).json().get("accepted") == 500)

    sending = asyncio.create_task(client.post(PATH, params={"id": "pause"}, content=sent(), timeout=90))
    await pause.wait()
    await eventually(is_durable, what="the first batch is durable while the file is still being sent")
    with fresh_broker.away():
        go_on.set()
        await let_pass(DEADLINE_S + 2)
        assert not sending.done()

    job = (await sending).json()
    assert (job["status"], job["accepted"] + job["duplicates"]) == ("done", 1_000)


async def test_the_end_of_a_backfill_reaches_the_log(client: httpx.AsyncClient, fresh_broker: Broker) -> None:
    history = [event(id=f"past-{number}", subject="backfilled") for number in range(3)]

    answer = await client.post(PATH, params={"backfill": True}, content=ndjson(*history))

    assert answer.json()["accepted"] == 3
    records = await logs.read(fresh_broker.settings, CUSTOMER_EVENTS.name, 4)
    told = [json.loads(each.value or b"") for each in records if each.key == b"backfilled"]
    assert [each.get("backfill", False) for each in told] == [True, True, True, False]
    assert told[-1]["type"] == "csm.backfill.ended"
