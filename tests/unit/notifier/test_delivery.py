"""The way of a notification from due to outcome, with the outside in memory."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from tests.support.clock import START, ManualClock
from tests.unit.notifier.builders import CONTEXT, KIM, RETRIES, WORDS, a_job, a_notification, an_entry
from tests.unit.notifier.fakes import FixedRenderer, MemoryStore, ScriptedChannel

from csm_common.contracts.notifications import NotificationRequest, Recipient
from notifier.application.handlers.delivery import Attempted, Delivery, DeliveryPolicy
from notifier.application.handlers.directory import update_directory
from notifier.application.handlers.requests import notification_of
from notifier.application.views import DecisionView, NotificationDetail
from notifier.domain.delivery import Answer
from notifier.domain.notification import Notification, Status, Wanted

BUSY = Answer("deferred", "451 busy", 451)
POLICY = DeliveryPolicy(retries=RETRIES, lease=timedelta(minutes=2), team_inbox=None)
PATIENT = replace(POLICY, team_inbox="team@vendor.example", directory_grace=timedelta(seconds=10))
NO_CONTACT = "owner: the account's owner is no active contact with an address"


@dataclass
class Desk:
    """A delivery with a store, a channel and a clock of its own."""

    channel: ScriptedChannel = field(default_factory=ScriptedChannel)
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: ManualClock = field(default_factory=ManualClock)
    policy: DeliveryPolicy = POLICY

    def __post_init__(self) -> None:
        self.delivery = Delivery(
            FixedRenderer(), {"email": self.channel}, self.policy, self.clock, "sender-1", lambda: 0.0
        )

    async def take_in(self, *notifications: Notification) -> None:
        """Kim is known, the notifications are pending."""
        async with self.store.open() as work:
            await work.directory.record([an_entry(email=KIM.email, name=KIM.name, role="owner")])
        await self.ask(*notifications)

    async def ask(self, *notifications: Notification) -> None:
        """The notifications are pending."""
        async with self.store.open() as work:
            await work.notifications.add(notifications, self.clock.now())

    async def round(self) -> list[Attempted]:
        """Claim, attempt and record everything that is due."""
        async with self.store.open() as work:
            jobs = await self.delivery.claim(work, 10)
        assert self.store.open_transactions == 0
        attempted = [await self.delivery.attempt(job) for job in jobs]
        async with self.store.open() as work:
            for each in attempted:
                assert await self.delivery.record(work, each)
        return attempted

    async def detail(self, notification_id: str = "n-1") -> NotificationDetail:
        """All that is known of one."""
        async with self.store.open() as work:
            found = await work.notifications.detail(notification_id)
        assert found is not None
        return found


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_due_notification_reaches_its_owner_once(desk: Desk) -> None:
    await desk.take_in(a_notification())
    await desk.round()
    await desk.round()
    (sent,) = desk.channel.sent
    assert (sent.recipient.address, sent.words) == (KIM.email, WORDS)
    found = await desk.detail()
    assert found.status is Status.SENT
    assert found.decision is not None
    assert found.decision.contact_id == "kim"
    assert desk.store.facts == [("n-1", Status.SENT, START)]


async def test_a_busy_server_is_asked_again_and_only_the_end_is_told() -> None:
    desk = Desk(ScriptedChannel(BUSY, Answer("accepted", "Kept", 250)))
    await desk.take_in(a_notification())
    await desk.round()
    assert (await desk.detail()).status is Status.RETRY
    assert desk.store.facts == []
    assert await desk.round() == []
    desk.clock.advance(timedelta(seconds=5))
    await desk.round()
    found = await desk.detail()
    assert [each.outcome for each in found.attempts] == ["deferred", "accepted"]
    assert desk.store.facts == [("n-1", Status.SENT, desk.clock.now())]


async def test_each_attempt_looks_the_recipient_up_anew() -> None:
    desk = Desk(ScriptedChannel(BUSY, Answer("accepted", "Kept", 250)))
    await desk.take_in(a_notification())
    await desk.round()
    desk.clock.advance(timedelta(seconds=5))
    async with desk.store.open() as work:
        await update_directory(work.directory, [an_entry(at=desk.clock.now(), email="new@vendor.example")])
    await desk.round()
    assert [each.recipient.address for each in desk.channel.sent] == [KIM.email, "new@vendor.example"]


async def test_a_server_that_stays_busy_is_given_up() -> None:
    desk = Desk(ScriptedChannel(BUSY))
    await desk.take_in(a_notification())
    for _ in range(6):
        await desk.round()
        desk.clock.advance(timedelta(minutes=3))
    found = await desk.detail()
    assert (found.status, found.reason) == (Status.FAILED, "given up after 4 attempts: 451 busy")
    assert len(desk.channel.sent) == 4
    assert [status for _, status, _ in desk.store.facts] == [Status.FAILED]


async def test_who_cannot_be_reached_is_undeliverable_and_nothing_is_sent(desk: Desk) -> None:
    await desk.take_in(a_notification(recipients=(Wanted("role", "champion"),)))
    await desk.round()
    found = await desk.detail()
    assert (found.status, found.reason) == (
        Status.UNDELIVERABLE,
        "role champion: no active contact with an address",
    )
    assert [each.outcome for each in found.attempts] == ["skipped"]
    assert desk.channel.sent == []
    assert [status for _, status, _ in desk.store.facts] == [Status.UNDELIVERABLE]


async def test_an_owner_who_is_told_after_the_request_has_the_message_and_not_the_team() -> None:
    desk = Desk(policy=PATIENT)
    await desk.ask(a_notification())
    await desk.round()
    waiting = await desk.detail()
    assert waiting.status is Status.RETRY
    assert waiting.next_attempt_at == START + timedelta(seconds=1)
    assert waiting.decision == DecisionView(kind=None, contact_id=None, why=NO_CONTACT)
    desk.clock.advance(timedelta(seconds=1))
    await desk.take_in()
    await desk.round()
    assert [each.recipient.address for each in desk.channel.sent] == [KIM.email]
    found = await desk.detail()
    assert [each.outcome for each in found.attempts] == ["held", "accepted"]
    assert [status for _, status, _ in desk.store.facts] == [Status.SENT]


async def test_where_no_owner_is_told_the_team_has_the_message_after_the_grace() -> None:
    desk = Desk(policy=PATIENT)
    await desk.ask(a_notification())
    for _ in range(10):
        await desk.round()
        assert desk.channel.sent == []
        desk.clock.advance(timedelta(seconds=1))
    await desk.round()
    assert [each.recipient.kind for each in desk.channel.sent] == ["team_inbox"]


async def test_an_owner_erased_between_two_attempts_has_nothing_and_the_team_is_told_after_the_grace() -> (
    None
):
    desk = Desk(ScriptedChannel(BUSY, Answer("accepted", "Kept", 250)), policy=PATIENT)
    await desk.take_in(a_notification())
    await desk.round()
    async with desk.store.open() as work:
        await work.directory.erase([an_entry().key])
    for _ in range(2):
        desk.clock.advance(timedelta(seconds=5))
        await desk.round()
    assert [each.recipient.kind for each in desk.channel.sent] == ["contact", "team_inbox"]


async def test_holds_use_up_nothing_of_the_retry_schedule() -> None:
    desk = Desk(ScriptedChannel(BUSY), policy=PATIENT)
    await desk.ask(a_notification())
    for _ in range(20):
        await desk.round()
        desk.clock.advance(timedelta(seconds=1))
    for _ in range(6):
        await desk.round()
        desk.clock.advance(timedelta(minutes=3))
    found = await desk.detail()
    assert (found.status, found.reason) == (Status.FAILED, "given up after 4 attempts: 451 busy")
    assert [each.outcome for each in found.attempts] == ["held"] * 10 + ["deferred"] * 4


async def test_a_template_that_fails_fails_the_notification(desk: Desk) -> None:
    await desk.take_in(a_notification(template="broken"))
    await desk.round()
    found = await desk.detail()
    assert (found.status, found.reason) == (Status.FAILED, "template broken: 'owner' is undefined")
    assert desk.channel.sent == []


async def test_what_has_expired_is_not_sent(desk: Desk) -> None:
    await desk.take_in(a_notification(expires_at=START + timedelta(hours=1)))
    desk.clock.advance(timedelta(hours=1))
    await desk.round()
    assert (await desk.detail()).status is Status.EXPIRED
    assert desk.channel.sent == []


async def test_after_a_crash_it_is_sent_again_when_the_lease_ends(desk: Desk) -> None:
    await desk.take_in(a_notification())
    async with desk.store.open() as work:
        (job,) = await desk.delivery.claim(work, 10)
    await desk.delivery.attempt(job)  # and the process dies before it can record
    assert await desk.round() == []
    desk.clock.advance(POLICY.lease)
    (attempted,) = await desk.round()
    assert attempted.job.claimed.interrupted
    assert len(desk.channel.sent) == 2
    assert [each.outcome for each in (await desk.detail()).attempts] == ["unknown", "accepted"]


async def test_a_notification_that_kills_its_sender_does_not_do_so_for_ever(desk: Desk) -> None:
    await desk.take_in(a_notification())
    for _ in range(RETRIES.attempts):
        async with desk.store.open() as work:
            assert len(await desk.delivery.claim(work, 10)) == 1
        desk.clock.advance(POLICY.lease)
    await desk.round()
    found = await desk.detail()
    assert found.status is Status.FAILED
    assert [each.outcome for each in found.attempts] == ["unknown"] * 4 + ["skipped"]


async def test_an_outcome_that_comes_too_late_is_not_recorded_and_not_told(desk: Desk) -> None:
    await desk.take_in(a_notification())
    async with desk.store.open() as work:
        (job,) = await desk.delivery.claim(work, 10)
    late = await desk.delivery.attempt(job)
    desk.clock.advance(POLICY.lease)
    async with desk.store.open() as work:
        await desk.delivery.claim(work, 10)
        assert not await desk.delivery.record(work, late)
    assert desk.store.facts == []


async def test_an_account_without_contacts_has_none(desk: Desk) -> None:
    await desk.take_in(a_notification(account_id="globex"))
    async with desk.store.open() as work:
        (job,) = await desk.delivery.claim(work, 10)
    assert job.contacts == ()
    assert a_job().contacts == (KIM,)


async def test_the_directory_follows_the_order_of_the_log() -> None:
    store = MemoryStore()
    kim, lee = an_entry("kim", name="Kim"), an_entry("lee", name="Lee")
    async with store.open() as work:
        await update_directory(work.directory, [kim, lee, kim.key, lee, lee.key, kim])
        found = await work.directory.of_accounts({"acme"})
    assert [each.contact_id for each in found["acme"]] == ["kim"]


def test_a_request_becomes_a_notification_with_all_it_said() -> None:
    request = NotificationRequest(
        account_id="acme",
        run_id="run-1",
        playbook="account_at_risk",
        playbook_version=1,
        step="tell_owner",
        channel="email",
        category="health",
        message_class="internal",
        template="account_at_risk",
        recipients=[Recipient(kind="owner"), Recipient(kind="role", value="lead")],
        requested_at=START,
        expires_at=START + timedelta(days=1),
        context=CONTEXT,
        chain={"crossing_id": "crossing-1", "fact_ids": ["fact-1"]},
    )
    assert notification_of("n-1", request, "00-1-2-01") == a_notification(
        recipients=(Wanted("owner"), Wanted("role", "lead")),
        expires_at=START + timedelta(days=1),
        traceparent="00-1-2-01",
    )
