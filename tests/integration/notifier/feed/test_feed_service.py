"""The whole service between a broker, PostgreSQL and a subscriber's endpoint."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from standardwebhooks import Webhook
from tests.integration.notifier.channels.receiver import Receiver
from tests.support.brokers import Broker
from tests.support.logs import publish
from tests.support.ports import free_port
from tests.support.postgres import Database
from tests.support.waiting import eventually
from tests.unit.notifier.feed.builders import a_crossing, a_snapshot, crossing_record, snapshot_record

from csm_common.database.engine import create_engine
from csm_common.database.outbox import Message
from csm_common.kafka.record import Record
from csm_common.runtime import run_loops
from csm_common.settings import HttpSettings
from csm_common.web.keys import KeyStore
from notifier.app import build
from notifier.settings import NotifierSettings, Settings, SmtpSettings


@asynccontextmanager
async def running(settings: Settings, client: httpx.AsyncClient) -> AsyncIterator[None]:
    """The service runs as the process does, but for the signals."""
    stop = asyncio.Event()

    async def live() -> None:
        async with build(settings) as loops:
            await run_loops(loops, stop, settings.drain_timeout_s)

    async def ready() -> bool:
        try:
            return (await client.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    life = asyncio.create_task(live())
    try:
        await eventually(ready, 60.0, what="the notifier is ready")
        yield
    finally:
        stop.set()
        await life


def message(record: Record) -> Message:
    """To be published."""
    return Message(record.topic, record.key or b"", record.value)


async def settings_for(database: Database, broker: Broker) -> tuple[Settings, str]:
    """As the environment would give them, and a key."""
    admin = create_engine(database.admin_dsn)
    token = await KeyStore(admin).create(name="crm", scopes=["notifications:read", "subscriptions:write"])
    await admin.dispose()
    settings = Settings(
        database=database.settings("notifier"),
        kafka=broker.settings,
        http=HttpSettings(port=free_port()),
        smtp=SmtpSettings(host="127.0.0.1", port=free_port(), sender="cs@vendor.example"),
        notifier=NotifierSettings(allowed_hosts=("127.0.0.1",)),
    )
    return settings, token


async def test_each_change_reaches_the_subscriber_once_over_restarts_and_repeats(
    database: Database, fresh_broker: Broker, receiver: Receiver
) -> None:
    settings, token = await settings_for(database, fresh_broker)
    headers = {"Authorization": f"Bearer {token}"}
    base = f"http://127.0.0.1:{settings.http.port}"
    async with httpx.AsyncClient(base_url=base, headers=headers) as client:
        async with running(settings, client):
            body: dict[str, Any] = {"name": "CRM", "url": receiver.url, "filters": {"min_change": 5}}
            created = (await client.post("/v1/subscriptions", json=body)).json()
            at = datetime.now(UTC) + timedelta(seconds=1)
            news = [
                snapshot_record(0, a_snapshot(1, 60.0, evaluated_at=at)),
                snapshot_record(1, a_snapshot(2, 57.0, evaluated_at=at)),
                crossing_record(2, a_crossing(occurred_at=at)),
            ]
            await publish(settings.kafka, [message(each) for each in news])
            await eventually(lambda: len(receiver.came) == 3, what="three changes are told")
        async with running(settings, client):
            repeats = [*news, snapshot_record(3, a_snapshot(3, 54.0, evaluated_at=at))]
            await publish(settings.kafka, [message(each) for each in repeats])
            await eventually(lambda: len(receiver.came) >= 4, what="the last change is told")
            path = f"/v1/subscriptions/{created['id']}/deliveries"

            async def all_sent() -> bool:
                told = (await client.get(path)).json()["deliveries"]
                return {each["status"] for each in told} == {"sent"}

            await eventually(all_sent, what="all are sent")
    told = [Webhook(created["secret"]).verify(each.body, each.headers) for each in receiver.came]
    assert sorted((each["type"], each["data"]["score"]["after"]) for each in told) == [
        ("health.band_changed", 60.0),
        ("health.score_changed", 54.0),
        ("health.score_changed", 60.0),
        ("health.threshold_crossed", 42.0),
    ]
