"""The whole service between a broker, PostgreSQL and a mail server."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from tests.integration.notifier.smtp import MailServer
from tests.support.brokers import Broker
from tests.support.logs import publish, read
from tests.support.ports import free_port
from tests.support.postgres import Database, PostgresServer
from tests.support.waiting import eventually
from tests.unit.notifier.builders import CONTEXT

from csm_common.contracts import envelope
from csm_common.contracts.contacts import CONTACT_RECORDED, ContactRecorded
from csm_common.contracts.envelope import Envelope
from csm_common.contracts.notifications import NOTIFICATION_REQUESTED, Chain, NotificationRequest, Recipient
from csm_common.contracts.topics import CUSTOMER_CONTACTS, CUSTOMER_EVENTS, NOTIFICATION_REQUESTS
from csm_common.database.engine import create_engine
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from csm_common.runtime import run_loops
from csm_common.settings import HttpSettings
from csm_common.web.keys import KeyStore
from notifier.app import build
from notifier.settings import NotifierSettings, Settings, SmtpSettings

TEAM = "team@vendor.example"


class Service:
    """A notifier that can be started and stopped; every test of the module has an account of its own on it."""

    def __init__(self, settings: Settings, broker: Broker, server: MailServer, token: str) -> None:
        self.broker = broker
        self.server = server
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{settings.http.port}", headers={"Authorization": f"Bearer {token}"}
        )
        self._settings = settings
        self._stop = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run as the process does, but for the signals, and be ready."""
        self._stop.clear()
        self._life = asyncio.create_task(self._live())
        await eventually(self.ready, 60.0, what="the notifier is ready")

    async def _live(self) -> None:
        async with build(self._settings) as loops:
            await run_loops(loops, self._stop, self._settings.drain_timeout_s)

    async def stop(self) -> None:
        """As SIGTERM does."""
        self._stop.set()
        if self._life is not None:
            await self._life

    async def ready(self) -> bool:
        """Whether it says so."""
        try:
            return (await self.client.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def ask(self, *requests: tuple[str, NotificationRequest]) -> None:
        """Requests with their ids."""
        await publish(
            self.broker.settings,
            [
                _message(NOTIFICATION_REQUESTS.name, each.account_id, NOTIFICATION_REQUESTED, each, id_)
                for id_, each in requests
            ],
        )

    async def tell(self, contact: ContactRecorded, at: datetime | None = None) -> None:
        """A contact."""
        key = f"{contact.account_id}/{contact.contact_id}"
        await publish(
            self.broker.settings,
            [_message(CUSTOMER_CONTACTS.name, key, CONTACT_RECORDED, contact, str(uuid4()), at)],
        )

    async def erase(self, account: str, contact_id: str) -> None:
        """A tombstone."""
        await publish(
            self.broker.settings, [Message(CUSTOMER_CONTACTS.name, f"{account}/{contact_id}".encode(), None)]
        )

    async def becomes(self, notification_id: str, status: str) -> dict[str, Any]:
        """What the service tells of a notification once it has this status."""

        async def as_wanted() -> dict[str, Any] | None:
            answer = await self.client.get(f"/v1/notifications/{notification_id}")
            known = answer.status_code == 200 and answer.json()["status"] == status
            return answer.json() if known else None

        found: dict[str, Any] | None = await eventually(as_wanted, what=f"{notification_id} is {status}")
        assert found is not None
        return found

    def mails_of(self, account: str) -> list[tuple[str, str]]:
        """Notification and recipient of each mail about an account."""
        return [
            (mail["X-CSM-Notification"], mail["To"].addresses[0].addr_spec)
            for mail in self.server.mails
            if mail["X-CSM-Account"] == account
        ]


def _message(topic: str, key: str, type_: str, data: object, id_: str, at: datetime | None = None) -> Message:
    value = envelope.encode(
        id=id_, source="/test", type=type_, subject="acme", time=at or datetime.now(UTC), data=data
    )
    return Message(topic, key.encode(), value)


def asking(account: str, **changes: Any) -> tuple[str, NotificationRequest]:
    """A request about an account, under a new id."""
    fields: dict[str, Any] = {
        "run_id": "run-1",
        "playbook": "account_at_risk",
        "playbook_version": 1,
        "step": "tell_owner",
        "channel": "email",
        "category": "health",
        "message_class": "internal",
        "template": "account_at_risk",
        "recipients": [Recipient(kind="owner")],
        "requested_at": datetime.now(UTC),
        "context": CONTEXT,
        "chain": Chain(crossing_id="crossing-1"),
    }
    return str(uuid4()), NotificationRequest(account_id=account, **{**fields, **changes})


def kim(account: str, **fields: Any) -> ContactRecorded:
    """The account's owner."""
    return ContactRecorded(account_id=account, contact_id="kim", **fields)


def settings_for(database: Database, broker: Broker, server: MailServer) -> Settings:
    """As the environment would give them."""
    return Settings(
        database=database.settings("notifier"),
        kafka=broker.settings,
        http=HttpSettings(port=free_port()),
        smtp=SmtpSettings(host="127.0.0.1", port=server.port, sender="cs@vendor.example"),
        notifier=NotifierSettings(fallback_address=TEAM, retries="1s, 1s, 1s", directory_grace_s=0.0),
    )


@pytest.fixture(scope="module")
async def service(postgres: PostgresServer, fresh_broker: Broker) -> AsyncIterator[Service]:
    """Ready."""
    async with postgres.database() as database, MailServer().listening() as server:
        admin = create_engine(database.admin_dsn)
        token = await KeyStore(admin).create(name="test", scopes=["notifications:read"])
        await admin.dispose()
        settings = settings_for(database, fresh_broker, server)
        service = Service(settings, fresh_broker, server, token)
        await service.start()
        yield service
        await service.stop()
        await service.client.aclose()


@pytest.fixture
def account() -> str:
    return f"acme-{uuid4().hex[:8]}"


async def test_a_request_becomes_a_mail_and_its_delivery_a_fact(service: Service, account: str) -> None:
    await service.tell(kim(account, name="Kim Park", email="kim@vendor.example"))
    id_, request = asking(account)
    await service.ask((id_, request))
    found = await service.becomes(id_, "sent")
    assert service.mails_of(account) == [(id_, "kim@vendor.example")]
    assert found["decision"]["contact_id"] == "kim"
    assert {name: value for name, value in found["chain"].items() if value} == {"crossing_id": "crossing-1"}
    listed = (await service.client.get("/v1/notifications", params={"account": account})).json()
    assert [each["id"] for each in listed["notifications"]] == [id_]
    (fact,) = await eventually(lambda: facts_about(service, account))
    assert fact.id == derived_id("outreach", id_, "delivered")
    assert (fact.type, fact.source) == ("csm.outreach.changed", "/csm/notifier")
    assert fact.data == {
        "id": id_,
        "status": "delivered",
        "run": "run-1",
        "playbook": "account_at_risk",
        "channel": "email",
        "category": "health",
        "code": 250,
        "answer": None,
    }


async def facts_about(service: Service, account: str) -> list[Envelope]:
    records = await read(service.broker.settings, CUSTOMER_EVENTS.name, 1)
    events = [msgspec.json.decode(each.value or b"", type=Envelope) for each in records]
    return [each for each in events if each.subject == account]


async def test_a_request_that_is_delivered_again_is_not_sent_again(service: Service, account: str) -> None:
    first, second = asking(account), asking(account)
    await service.ask(first, first)
    await service.becomes(first[0], "sent")
    await service.ask(first, second)
    await service.becomes(second[0], "sent")
    assert sorted(id_ for id_, _ in service.mails_of(account)) == sorted([first[0], second[0]])


async def test_the_directory_follows_updates_and_tombstones(service: Service, account: str) -> None:
    async def reached() -> str:
        id_, request = asking(account, recipients=[Recipient(kind="contact", value="kim")])
        await service.ask((id_, request))
        await service.becomes(id_, "sent")
        return dict(service.mails_of(account))[id_]

    async def eventually_reached(address: str) -> None:
        async def as_wanted() -> bool:
            return await reached() == address

        await eventually(as_wanted, what=f"mails go to {address}")

    now = datetime.now(UTC)
    await service.tell(kim(account, email="kim@vendor.example"), now)
    await eventually_reached("kim@vendor.example")
    await service.tell(kim(account, email="new@vendor.example"), now + timedelta(seconds=1))
    await service.tell(kim(account, email="stale@vendor.example"), now - timedelta(seconds=1))
    await eventually_reached("new@vendor.example")
    await service.erase(account, "kim")
    await eventually_reached(TEAM)
    assert "stale@vendor.example" not in dict(service.mails_of(account)).values()


async def test_what_nobody_can_read_is_put_aside_and_the_rest_goes_on(service: Service, account: str) -> None:
    await publish(
        service.broker.settings, [Message(NOTIFICATION_REQUESTS.name, account.encode(), b"no json")]
    )
    id_, request = asking(account)
    await service.ask((id_, request))
    await service.becomes(id_, "sent")
    (letter, *_) = await read(service.broker.settings, NOTIFICATION_REQUESTS.dead_letters, 1)
    assert letter.value == b"no json"
    assert letter.headers["dlq-code"] == "undecodable"


async def test_a_contact_that_cannot_be_stored_is_put_aside_without_telling_its_address(
    service: Service, account: str
) -> None:
    await service.tell(kim(account, name="Kim\x00", email="kim@vendor.example"))
    await service.tell(kim(account, email="kim@vendor.example"))
    (letter,) = await read(service.broker.settings, CUSTOMER_CONTACTS.dead_letters, 1)
    assert letter.headers["dlq-code"] == "handler_failed"
    assert "kim@" not in letter.headers["dlq-reason"]


async def test_its_probes_need_no_key_and_its_notifications_do(service: Service) -> None:
    assert (await service.client.get("/livez")).status_code == 200
    for path in ("/v1/notifications", "/v1/notifications/n-1"):
        assert (await service.client.get(path, headers={"Authorization": ""})).status_code == 401


async def test_a_restart_goes_on_where_it_stopped(service: Service, account: str) -> None:
    before, after = asking(account), asking(account)
    service.server.answers = ["451 later"]
    await service.ask(before)
    await service.becomes(before[0], "retry")
    await service.stop()
    await service.ask(before, after)
    await service.start()
    for id_, _ in (before, after):
        await service.becomes(id_, "sent")
    assert sorted(id_ for id_, _ in service.mails_of(account)) == sorted([before[0], after[0]])
