"""PostgreSQL keeps to the contract, and to what only several connections can show."""

from datetime import timedelta

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import START
from tests.unit.notifier.builders import a_notification, an_entry
from tests.unit.notifier.work_contract import (
    FAILED,
    LEASE,
    WorkContract,
    add,
    claim,
    erase_account,
    put,
    record,
)

from csm_common.contracts.envelope import Envelope
from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database import outbox
from notifier.application.ports import OpenWork
from notifier.domain.notification import Status


class TestPostgresWork(WorkContract):
    pass


async def test_two_who_claim_at_the_same_time_share_what_is_due(open_work: OpenWork) -> None:
    await add(open_work, *(a_notification(f"n-{number}") for number in range(5)))
    async with open_work() as one, open_work() as other:
        ones = await one.notifications.claim("one", START, START + LEASE, 3)
        others = await other.notifications.claim("other", START, START + LEASE, 3)
    names = [each.notification.id for each in [*ones, *others]]
    assert (len(ones), len(others)) == (3, 2)
    assert sorted(names) == [f"n-{number}" for number in range(5)]


async def test_consents_are_kept_by_purpose(open_work: OpenWork, engine: AsyncEngine) -> None:
    await put(open_work, an_entry(consents={"marketing": False, "product": True}))
    await put(open_work, an_entry(at=START + timedelta(seconds=1), consents={"product": False}))
    await put(open_work, an_entry(consents={"product": True, "surveys": True}))
    async with engine.connect() as connection:
        consents = await connection.scalar(text("SELECT consents FROM contacts"))
    assert consents == {"marketing": False, "product": False, "surveys": True}


async def test_an_erasure_leaves_no_context_and_no_reply(open_work: OpenWork, engine: AsyncEngine) -> None:
    await add(open_work, a_notification("n-1"), a_notification("n-2"))
    (claimed, _) = await claim(open_work)
    await record(open_work, claimed, FAILED)
    await erase_account(open_work)
    async with engine.connect() as connection:
        contexts = await connection.scalars(text("SELECT DISTINCT context::text FROM notifications"))
        details = await connection.scalars(text("SELECT DISTINCT detail FROM attempts"))
    assert (list(contexts), list(details)) == (["{}"], [None])


async def test_outcomes_wait_in_the_outbox_for_the_topic_of_facts(
    open_work: OpenWork, engine: AsyncEngine
) -> None:
    async with open_work() as work:
        await work.facts.outreach_changed(a_notification(), Status.SENT, START)
    async with engine.begin() as tx:
        (row,) = await outbox.take(tx, 10)
    assert (row.message.topic, row.message.key) == (CUSTOMER_EVENTS.name, b"acme")
    assert row.message.value is not None
    event = msgspec.json.decode(row.message.value, type=Envelope)
    assert (event.type, event.source, event.subject) == ("csm.outreach.changed", "/csm/notifier", "acme")
    assert event.data["status"] == "delivered"
