"""The two topics, read into PostgreSQL."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.notifier.desk import facts
from tests.support.clock import START, ManualClock
from tests.unit.notifier.builders import CONTEXT

from csm_common.contracts import envelope
from csm_common.contracts.contacts import CONTACT_RECORDED
from csm_common.contracts.facts import ACCOUNT_ERASED, CONTACT_ERASED
from csm_common.contracts.notifications import NOTIFICATION_REQUESTED
from csm_common.contracts.topics import CUSTOMER_CONTACTS, NOTIFICATION_REQUESTS, Topic
from csm_common.kafka.record import Outcome, Record
from notifier.adapters.work import work_in, work_on
from notifier.application.ports import Due, OpenWork
from notifier.application.views import NotificationFilter
from notifier.domain.notification import Status
from notifier.domain.recipients import Contact
from notifier.entrypoints.consumer import ContactsConsumer, RequestsConsumer

TX = cast("AsyncConnection", None)  # for what needs none
REQUEST = {
    "account_id": "acme",
    "run_id": "run-1",
    "playbook": "account_at_risk",
    "playbook_version": 1,
    "step": "tell_owner",
    "channel": "email",
    "category": "health",
    "message_class": "internal",
    "template": "account_at_risk",
    "recipients": [{"kind": "owner", "value": None}],
    "requested_at": START,
    "context": CONTEXT,
    "from_the_future": True,
}
ACME = NotificationFilter(account_id="acme")
PENDING = NotificationFilter(account_id="acme", status=Status.PENDING)
KIM = {"account_id": "acme", "contact_id": "kim", "email": "kim@vendor.example", "from_the_future": 1}


def event(type_: str, data: dict[str, Any], id_: str = "n-1") -> bytes:
    return envelope.encode(id=id_, source="/test", type=type_, subject="acme", time=START, data=data)


def record(topic: Topic, value: bytes | None, key: bytes = b"acme", offset: int = 0) -> Record:
    return Record(topic.name, 0, offset, 0.0, key, value, "00-1-2-01")


class Reader:
    """Both consumers on one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.open_work = work_on(engine)
        self.woken = 0

    def _wake(self) -> None:
        self.woken += 1

    async def requests(self, *values: bytes | None) -> Outcome:
        """Handle a batch of requests."""
        consumer = RequestsConsumer(work_in, ManualClock(), self._wake)
        async with self.engine.begin() as tx:
            return await consumer.handle(tx, [record(NOTIFICATION_REQUESTS, each) for each in values])

    async def contacts(self, *records: Record) -> Outcome:
        """Handle a batch of contacts."""
        async with self.engine.begin() as tx:
            return await ContactsConsumer(work_in).handle(tx, records)

    async def known(self) -> Sequence[Contact]:
        """The contacts of acme."""
        async with self.open_work() as work:
            return (await work.directory.of_accounts({"acme"})).get("acme", ())


@pytest.fixture
def reader(engine: AsyncEngine) -> Reader:
    return Reader(engine)


async def due(open_work: OpenWork) -> Sequence[Due]:
    async with open_work() as work:
        return await work.notifications.due(START, 10, ())


async def test_a_request_becomes_a_pending_notification_and_wakes_the_sender(reader: Reader) -> None:
    outcome = await reader.requests(event(NOTIFICATION_REQUESTED, REQUEST))
    assert (outcome.dead_letters, reader.woken) == ([], 0)
    outcome.committed()
    assert reader.woken == 1
    (found,) = await due(reader.open_work)
    assert (found.notification.id, found.notification.traceparent) == ("n-1", "00-1-2-01")
    assert found.notification.context == CONTEXT


async def test_a_redelivered_request_is_one_notification(reader: Reader) -> None:
    value = event(NOTIFICATION_REQUESTED, REQUEST)
    await reader.requests(value, value)
    await reader.requests(value)
    async with reader.open_work() as work:
        assert len(await work.notifications.page(PENDING, None, 10)) == 1


@pytest.mark.parametrize(
    "value",
    [
        b"no json",
        b"{}",
        None,
        event("csm.something.else", REQUEST),
        event(NOTIFICATION_REQUESTED, {}),
        event(NOTIFICATION_REQUESTED, {**REQUEST, "channel": "pigeon"}),
        event(NOTIFICATION_REQUESTED, {**REQUEST, "recipients": [{"kind": "anybody"}]}),
    ],
)
async def test_a_request_nobody_can_read_is_a_dead_letter_and_the_rest_go_on(
    reader: Reader, value: bytes | None
) -> None:
    outcome = await reader.requests(value, event(NOTIFICATION_REQUESTED, REQUEST))
    (letter,) = outcome.dead_letters
    assert (letter.code, letter.record.value, letter.poison) == ("undecodable", value, True)
    assert letter.reason
    assert len(await due(reader.open_work)) == 1


async def test_contacts_are_recorded_and_tombstones_erase_them(reader: Reader) -> None:
    told = record(CUSTOMER_CONTACTS, event(CONTACT_RECORDED, KIM), b"acme/kim")
    await reader.contacts(told)
    assert await reader.known() == [Contact(contact_id="kim", email="kim@vendor.example")]
    await reader.contacts(record(CUSTOMER_CONTACTS, None, b"acme/kim"))
    assert await reader.known() == ()
    await reader.contacts(record(CUSTOMER_CONTACTS, None, b"acme/kim"), told)
    assert len(await reader.known()) == 1


async def test_a_contact_nobody_can_read_is_a_dead_letter_that_tells_no_address(reader: Reader) -> None:
    bad = record(CUSTOMER_CONTACTS, event(CONTACT_RECORDED, {**KIM, "name": 7}), b"acme/kim")
    good = record(CUSTOMER_CONTACTS, event(CONTACT_RECORDED, {**KIM, "contact_id": "lee"}), b"acme/lee")
    (letter,) = (await reader.contacts(bad, good)).dead_letters
    assert letter.record is bad
    assert "kim@" not in letter.reason
    assert [each.contact_id for each in await reader.known()] == ["lee"]


LATER = START + timedelta(hours=1)


def erasure(type_: str, data: dict[str, Any], key: bytes) -> Record:
    value = envelope.encode(id="x", source="/csm/ingest", type=type_, subject="acme", time=LATER, data=data)
    return record(CUSTOMER_CONTACTS, value, key)


async def test_an_erased_account_is_forgotten_and_no_fact_tells_of_it(reader: Reader) -> None:
    await reader.contacts(record(CUSTOMER_CONTACTS, event(CONTACT_RECORDED, KIM), b"acme/kim"))
    await reader.requests(event(NOTIFICATION_REQUESTED, REQUEST))
    outcome = await reader.contacts(erasure(ACCOUNT_ERASED, {}, b"acme/"))
    outcome.committed()
    assert outcome.dead_letters == []
    assert await reader.known() == ()
    assert await statuses(reader) == [("n-1", Status.CANCELLED)]
    assert await facts(reader.engine) == []


async def test_a_request_that_comes_after_the_erasure_was_asked_for_before_it_and_is_not_taken_in(
    reader: Reader,
) -> None:
    await reader.contacts(erasure(ACCOUNT_ERASED, {}, b"acme/"))
    afresh = {**REQUEST, "requested_at": LATER + timedelta(seconds=1)}
    await reader.requests(
        event(NOTIFICATION_REQUESTED, REQUEST), event(NOTIFICATION_REQUESTED, afresh, "n-2")
    )
    assert await statuses(reader) == [("n-2", Status.PENDING)]


async def test_what_an_erased_contact_was_to_be_told_is_cancelled_and_the_account_hears_of_it(
    reader: Reader,
) -> None:
    await reader.contacts(record(CUSTOMER_CONTACTS, event(CONTACT_RECORDED, KIM), b"acme/kim"))
    to_kim = {**REQUEST, "recipients": [{"kind": "contact", "value": "kim"}]}
    await reader.requests(
        event(NOTIFICATION_REQUESTED, to_kim), event(NOTIFICATION_REQUESTED, REQUEST, "n-2")
    )
    erased = erasure(CONTACT_ERASED, {"contact_id": "kim"}, b"acme/kim")
    await reader.contacts(erased, record(CUSTOMER_CONTACTS, None, b"acme/kim"))
    await reader.contacts(erased, record(CUSTOMER_CONTACTS, None, b"acme/kim"))
    assert await reader.known() == ()
    assert dict(await statuses(reader)) == {"n-1": Status.CANCELLED, "n-2": Status.PENDING}
    assert [(each["id"], each["status"]) for each in await facts(reader.engine)] == [("n-1", "cancelled")]


async def test_a_contact_that_was_merged_into_another_is_gone_and_what_waits_for_it_goes_on(
    reader: Reader,
) -> None:
    to_kim = {**REQUEST, "recipients": [{"kind": "contact", "value": "kim"}]}
    await reader.requests(event(NOTIFICATION_REQUESTED, to_kim))
    await reader.contacts(record(CUSTOMER_CONTACTS, None, b"acme/kim"))
    assert await statuses(reader) == [("n-1", Status.PENDING)]


async def test_an_erasure_that_nobody_can_read_is_a_dead_letter(reader: Reader) -> None:
    outcome = await reader.contacts(
        erasure(CONTACT_ERASED, {}, b"acme/kim"), erasure("csm.other", {}, b"acme/")
    )
    assert [each.code for each in outcome.dead_letters] == ["undecodable"] * 2


async def statuses(reader: Reader) -> list[tuple[str, Status]]:
    async with reader.open_work() as work:
        return [(each.id, each.status) for each in await work.notifications.page(ACME, None, 10)]


async def test_the_consumers_have_no_timers_and_no_memory() -> None:
    for consumer in (ContactsConsumer(work_in), RequestsConsumer(work_in, ManualClock(), lambda: None)):
        await consumer.claimed(TX, [])
        consumer.forget()
        assert consumer.next_due() is None
        assert (await consumer.handle_due(TX, [], START)).dead_letters == ()
