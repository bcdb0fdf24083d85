"""`python -m ingest`: configured by its environment, drained by SIGTERM."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from tests.integration.ingest.service import answers, make_key
from tests.support.brokers import Broker
from tests.support.ports import free_port
from tests.support.postgres import Database
from tests.support.waiting import eventually
from tests.unit.ingest.door import event

PATH = "/v1/events"
HEAD = (
    "POST /v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
    "content-length: {length}\r\nexpect: 100-continue\r\n\r\n"
)


@asynccontextmanager
async def process(database: Database, broker: Broker, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process during the block; it is ended there or here."""
    environment = {
        "CSM_HTTP__PORT": str(port),
        "CSM_DATABASE__DSN": database.dsn("ingest"),
        "CSM_KAFKA__BOOTSTRAP": broker.settings.bootstrap,
        "CSM_KAFKA__IDEMPOTENCE": str(broker.settings.idempotence).lower(),
        "CSM_KAFKA__ASSIGNMENT": broker.settings.assignment,
        "CSM_KAFKA__ON_NEW_LOG": broker.settings.on_new_log,
    }
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest", env=os.environ | environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


async def test_it_serves_and_counts(database: Database, embedded_broker: Broker) -> None:
    port, token = free_port(), await make_key(database)
    async with process(database, embedded_broker, port), client_of(port, token) as client:
        await eventually(lambda: is_ready(client), 60)

        assert (await client.post(PATH, json=[event(), event(id="e-2"), event(id="")])).status_code == 202

        metrics = (await client.get("/metrics")).text
        assert "csm_ingest_events_accepted_total 2.0" in metrics
        assert 'csm_ingest_events_rejected_total{code="invalid_id"' in metrics
        assert 'http_route="/v1/events"' in metrics


async def test_what_is_under_way_at_sigterm_is_finished(database: Database, embedded_broker: Broker) -> None:
    port, token = free_port(), await make_key(database)
    async with process(database, embedded_broker, port) as running, client_of(port, token) as client:
        await eventually(lambda: is_ready(client), 60)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps(event(id="under-way")).encode()
        writer.write(HEAD.format(token=token, length=len(body)).encode())
        assert b" 100 " in await reader.readuntil(b"\r\n\r\n")  # the request is inside

        running.terminate()
        await eventually(lambda: is_closed(client), what="the door is closed")
        writer.write(body)

        assert b" 202 " in await reader.readuntil(b"\r\n\r\n")
        assert await asyncio.wait_for(running.wait(), 30) == 0
        writer.close()


def client_of(port: int, token: str) -> httpx.AsyncClient:
    """A client with the key."""
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30)


async def is_ready(client: httpx.AsyncClient) -> bool:
    """Whether it says so."""
    return await answers(client) and (await client.get("/readyz")).status_code == 200


async def is_closed(client: httpx.AsyncClient) -> bool:
    """Whether nobody listens any more."""
    return not await answers(client)
