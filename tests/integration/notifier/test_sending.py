"""The sender on PostgreSQL and a real SMTP server, with a clock that is moved by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs
from tests.integration.notifier.desk import RULES, detail
from tests.integration.notifier.smtp import MailServer
from tests.support.clock import ManualClock
from tests.support.waiting import eventually
from tests.unit.notifier.builders import KIM, LEASE, a_notification, an_entry
from tests.unit.notifier.fakes import FixedRenderer, NoLinks

from csm_common.contracts.envelope import Envelope
from csm_common.database import outbox
from notifier.adapters.channels.email import EmailChannel
from notifier.adapters.persons import person_of
from notifier.adapters.smtp_connections import SmtpConnections
from notifier.adapters.work import work_on
from notifier.application.handlers.claiming import Job
from notifier.application.handlers.delivery import Delivery
from notifier.application.lanes import Lanes
from notifier.application.ports import Attempted, Work
from notifier.application.views import NotificationDetail
from notifier.domain.addresses import Mailbox
from notifier.domain.breakers import BreakerRules
from notifier.domain.notification import Notification, Status
from notifier.entrypoints.pollers import Sender
from notifier.settings import SmtpSettings


class Office:
    """Senders that share a database, a mail server and a clock."""

    def __init__(
        self, engine: AsyncEngine, server: MailServer, directory_grace: timedelta = timedelta(0)
    ) -> None:
        self._rules = replace(RULES, directory_grace=directory_grace)
        self.engine = engine
        self.server = server
        self.open_work = work_on(engine)
        self.clock = ManualClock()
        self.connections = SmtpConnections(
            SmtpSettings(host="127.0.0.1", port=server.port, sender="cs@vendor.example")
        )
        self.channel = EmailChannel(self.connections, Mailbox("cs@vendor.example"), timeout_s=30.0)
        self._running: list[Sender[Work, Job, Attempted]] = []

    def delivery(self, owner: str = "sender-1") -> Delivery:
        """The steps, as `owner` takes them."""
        return Delivery(
            FixedRenderer(),
            NoLinks(),
            {"email": self.channel},
            self._rules,
            Lanes(BreakerRules()),
            person_of(b"key"),
            self.clock,
            owner,
            lambda: 0.0,
        )

    @asynccontextmanager
    async def sending(self, *owners: str) -> AsyncIterator[None]:
        """The senders run during the block, and are drained at its end."""
        stop = asyncio.Event()
        self._running = [
            Sender(
                self.delivery(owner),
                self.open_work,
                self.channel.abandon,
                self.clock,
                concurrency=4,
                interval_s=3600.0,
                lease=LEASE,
                grace=timedelta(milliseconds=10),
            )
            for owner in owners or ("sender-1",)
        ]
        tasks = [asyncio.create_task(each.run(stop)) for each in self._running]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)
            self.connections.close()

    async def add(self, *notifications: Notification) -> None:
        """Kim can be reached, and there is something to tell."""
        async with self.open_work() as work:
            await work.directory.record([an_entry(email=KIM.email, name=KIM.name, role="owner")])
        await self.ask(*notifications)

    async def ask(self, *notifications: Notification) -> None:
        """There is something to tell."""
        async with self.open_work() as work:
            await work.notifications.add(notifications, self.clock.now())
        self.wake()

    def wake(self) -> None:
        """All senders look for work."""
        for each in self._running:
            each.wake()

    async def becomes(self, status: Status, notification_id: str = "n-1") -> NotificationDetail:
        """All that is known of a notification once it has this status."""

        async def as_wanted() -> NotificationDetail | None:
            found = await detail(self.open_work, notification_id)
            return found if found.status is status else None

        found = await eventually(as_wanted, what=f"{notification_id} is {status}")
        assert found is not None
        return found

    async def facts(self) -> list[dict[str, object]]:
        """The data of the facts in the outbox."""
        async with self.engine.begin() as tx:
            rows = await outbox.take(tx, 1000)
        return [msgspec.json.decode(row.message.value or b"", type=Envelope).data for row in rows]


@pytest.fixture
async def office(engine: AsyncEngine) -> AsyncIterator[Office]:
    async with MailServer().listening() as server:
        yield Office(engine, server)


async def test_a_mail_is_sent_and_its_delivery_told(office: Office) -> None:
    async with office.sending():
        await office.add(a_notification())
        found = await office.becomes(Status.SENT)
    (mail,) = office.server.mails
    assert mail["To"] == "Kim Park <kim@vendor.example>"
    assert mail["Subject"] == "Acme is at risk"
    assert [(each.outcome, each.code) for each in found.attempts] == [("accepted", 250)]
    assert await office.facts() == [
        {
            "id": "n-1",
            "status": "delivered",
            "run": "run-1",
            "playbook": "account_at_risk",
            "channel": "email",
            "category": "health",
            "code": 250,
            "answer": None,
        }
    ]


async def test_a_server_that_asks_for_patience_gets_it(office: Office) -> None:
    office.server.answers = ["451 4.7.1 greylisted"]
    async with office.sending():
        await office.add(a_notification())
        waiting = await office.becomes(Status.RETRY)
        assert waiting.next_attempt_at == office.clock.now() + timedelta(seconds=5)
        assert await office.facts() == []
        office.clock.advance(timedelta(seconds=5))
        office.wake()
        found = await office.becomes(Status.SENT)
    assert [each.code for each in found.attempts] == [451, 250]
    assert len(office.server.mails) == 1


async def test_an_owner_who_is_told_after_the_request_is_waited_for(engine: AsyncEngine) -> None:
    async with MailServer().listening() as server:
        office = Office(engine, server, directory_grace=timedelta(seconds=10))
        async with office.sending():
            await office.ask(a_notification())
            waiting = await office.becomes(Status.HELD)
            assert waiting.next_attempt_at == office.clock.now() + timedelta(seconds=1)
            office.clock.advance(timedelta(seconds=1))
            await office.add()
            found = await office.becomes(Status.SENT)
    assert [each.outcome for each in found.attempts] == ["accepted"]
    assert len(server.mails) == 1
    assert [each["status"] for each in await office.facts()] == ["delivered"]


async def test_a_refusal_is_final(office: Office) -> None:
    office.server.to_recipients[str(KIM.email)] = "550 5.1.1 no such user"
    async with office.sending():
        await office.add(a_notification())
        found = await office.becomes(Status.FAILED)
    assert found.reason == "refused for good: 550 5.1.1 no such user"
    assert [each["status"] for each in await office.facts()] == ["bounced"]


async def test_a_server_that_is_away_is_tried_until_it_is_back(engine: AsyncEngine) -> None:
    server = MailServer()
    office = Office(engine, server)
    async with office.sending():
        await office.add(a_notification())
        assert "not available" in str((await office.becomes(Status.RETRY)).reason)
        async with server.listening():
            office.clock.advance(timedelta(seconds=5))
            office.wake()
            await office.becomes(Status.SENT)
    assert len(server.mails) == 1


async def test_while_the_server_hangs_no_database_session_is_held_and_stopping_still_works(
    office: Office,
) -> None:
    office.server.released.clear()
    async with office.sending():
        await office.add(*(a_notification(f"n-{number}") for number in range(4)))
        await eventually(lambda: office.server.waiting == 4)
        async with office.engine.connect() as connection:
            busy = await connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
                    " AND datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        assert busy == 0
    found = await office.becomes(Status.RETRY)
    assert [each.outcome for each in found.attempts] == ["unknown"]


async def test_two_senders_at_once_send_everything_once(office: Office) -> None:
    names = [f"n-{number}" for number in range(40)]
    async with office.sending("sender-1", "sender-2"):
        await office.add(*(a_notification(name) for name in names))
        for name in names:
            await office.becomes(Status.SENT, name)
    assert sorted(mail["X-CSM-Notification"] for mail in office.server.mails) == sorted(names)
    assert len(await office.facts()) == 40


async def test_after_a_crash_between_sending_and_recording_the_same_message_is_sent_again(
    office: Office,
) -> None:
    await office.add(a_notification())
    dying = office.delivery("dying")
    async with office.open_work() as work:
        ((job,), _) = await dying.claim(work, 1)
    late = await dying.attempt(job)
    async with office.sending("sender-2"):
        office.clock.advance(LEASE)
        office.wake()
        found = await office.becomes(Status.SENT)
    assert [each.outcome for each in found.attempts] == ["unknown", "accepted"]
    one, other = office.server.mails
    assert one["Message-ID"] == other["Message-ID"] == "<n-1@vendor.example>"
    async with office.open_work() as work:
        assert not await dying.record(work, [late])
    assert len(await office.facts()) == 1


async def test_an_erased_contact_is_written_to_no_more(office: Office) -> None:
    office.server.answers = ["451 later"]
    async with office.sending():
        await office.add(a_notification())
        await office.becomes(Status.RETRY)
        async with office.open_work() as work:
            await work.directory.erase([an_entry().key])
        office.clock.advance(timedelta(seconds=5))
        office.wake()
        found = await office.becomes(Status.UNDELIVERABLE)
    assert office.server.mails == []
    assert found.reason == "owner: the account's owner is no active contact with an address"
    assert [each["status"] for each in await office.facts()] == ["undeliverable"]


async def test_no_address_is_logged_and_none_is_stored_beside_the_directory(office: Office) -> None:
    office.server.to_recipients[str(KIM.email)] = f"550 <{KIM.email}> is not known here"
    with capture_logs() as logs:
        async with office.sending():
            await office.add(a_notification())
            await office.becomes(Status.FAILED)
    assert logs
    assert "kim@" not in str(logs)
    async with office.engine.connect() as connection:
        rows = [
            str((await connection.execute(text(f"SELECT * FROM {table}"))).all())
            for table in ("notifications", "attempts", "outbox")
        ]
    assert all(rows)
    assert not any("kim@" in row for row in rows)
