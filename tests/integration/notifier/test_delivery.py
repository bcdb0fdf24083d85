"""The way of a notification from due to outcome, on PostgreSQL with a scripted channel."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import RULES, Desk
from tests.support.clock import START
from tests.unit.notifier.builders import KIM, LEASE, RETRIES, WORDS, a_notification, an_entry
from tests.unit.notifier.fakes import KEPT, FixedRenderer, ScriptedChannel

from notifier.application.ports import Manners
from notifier.application.views import DecisionView
from notifier.domain.delivery import Answer
from notifier.domain.notification import Status, Wanted
from notifier.domain.recipients import Reach, mail_address

BUSY = Answer("deferred", "451 busy", 451)
BROKEN = Answer("deferred", "503", 503, fault=True)
LOST = Answer("unknown", "the connection was lost", fault=True)
NO_USER = Answer("refused", "550 no such user", 550, bounced=True)
PATIENT = replace(RULES, team_inbox="team@vendor.example", directory_grace=timedelta(seconds=10))
NO_CONTACT = "owner: the account's owner is no active contact with an address"

MakeDesk = Callable[..., Desk]


@pytest.fixture
def make(engine: AsyncEngine) -> MakeDesk:
    """Desks on one database."""

    def make(*answers: Answer, **changes: object) -> Desk:
        channel = changes.pop("channel", ScriptedChannel(list(answers) or [KEPT]))
        return Desk(engine, channel, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def desk(make: MakeDesk) -> Desk:
    return make()


async def test_a_due_notification_reaches_its_owner_once(desk: Desk) -> None:
    await desk.take_in(a_notification())
    await desk.round()
    await desk.round()
    (sent,) = desk.channel.sent
    assert (sent.begun.recipient.address, sent.words) == (KIM.email, WORDS)
    found = await desk.detail()
    assert (found.status, found.finished_at) == (Status.SENT, START)
    assert found.decision == DecisionView(
        kind="contact", contact_id="kim", why="owner: the account names contact kim as its owner"
    )
    assert await desk.told() == ["n-1 delivered"]


async def test_a_busy_server_is_asked_again_and_only_the_end_is_told(make: MakeDesk) -> None:
    desk = make(BUSY, KEPT)
    await desk.take_in(a_notification())
    await desk.round()
    found = await desk.detail()
    assert (found.status, found.next_attempt_at) == (Status.RETRY, START + timedelta(seconds=5))
    assert await desk.told() == []
    assert await desk.round() == []
    await desk.later(seconds=5)
    found = await desk.detail()
    assert [each.outcome for each in found.attempts] == ["deferred", "accepted"]
    assert await desk.told() == ["n-1 delivered"]


async def test_each_attempt_looks_the_recipient_up_anew(make: MakeDesk) -> None:
    desk = make(BUSY, KEPT)
    await desk.take_in(a_notification())
    await desk.round()
    async with desk.open_work() as work:
        later = START + timedelta(seconds=5)
        await work.directory.record([an_entry(at=later, email="new@vendor.example")])
    await desk.later(seconds=5)
    assert desk.channel.addresses == [KIM.email, "new@vendor.example"]


async def test_a_server_that_stays_busy_is_given_up(make: MakeDesk) -> None:
    desk = make(BUSY)
    await desk.take_in(a_notification())
    await desk.round()
    for _ in range(5):
        await desk.later(minutes=3)
    found = await desk.detail()
    assert (found.status, found.reason) == (Status.FAILED, "given up after 4 attempts: 451 busy")
    assert len(desk.channel.sent) == 4
    assert await desk.told() == ["n-1 failed"]


async def test_who_cannot_be_reached_is_undeliverable_and_nothing_is_sent(desk: Desk) -> None:
    await desk.take_in(a_notification(recipients=(Wanted("role", "champion"),)))
    await desk.round()
    found = await desk.detail()
    assert found.status is Status.UNDELIVERABLE
    assert found.reason == "role champion: no active contact with an address"
    assert found.attempts == ()
    assert desk.channel.sent == []
    assert await desk.told() == ["n-1 undeliverable"]


async def test_a_channel_that_is_not_set_up_is_told(desk: Desk) -> None:
    await desk.take_in(a_notification(channel="slack"))
    await desk.round()
    found = await desk.detail()
    assert found.status is Status.UNDELIVERABLE
    assert "channel slack is not set up" in str(found.reason)


async def test_an_owner_who_is_told_after_the_request_has_the_message_and_not_the_team(
    make: MakeDesk,
) -> None:
    desk = make(rules=PATIENT)
    await desk.ask(a_notification())
    await desk.round()
    waiting = await desk.detail()
    assert (waiting.status, waiting.held_by) == (Status.HELD, "contact")
    assert waiting.next_attempt_at == START + timedelta(seconds=1)
    assert waiting.decision == DecisionView(kind=None, contact_id=None, why=NO_CONTACT)
    await desk.know_kim()
    await desk.later(seconds=1)
    assert desk.channel.addresses == [KIM.email]
    found = await desk.detail()
    assert ([each.outcome for each in found.attempts], found.held_by) == (["accepted"], None)
    assert await desk.told() == ["n-1 delivered"]


async def test_where_no_owner_is_told_the_team_has_the_message_after_the_grace(make: MakeDesk) -> None:
    desk = make(rules=PATIENT)
    await desk.ask(a_notification())
    await desk.round()
    for _ in range(9):
        await desk.later(seconds=1)
        assert desk.channel.sent == []
    await desk.later(seconds=1)
    assert desk.channel.addresses == ["team@vendor.example"]


async def test_an_owner_erased_between_two_attempts_has_nothing_more_and_the_team_is_told(
    make: MakeDesk,
) -> None:
    desk = make(BUSY, KEPT, rules=PATIENT)
    await desk.take_in(a_notification())
    await desk.round()
    async with desk.open_work() as work:
        await work.directory.erase([an_entry().key])
    for _ in range(2):
        await desk.later(seconds=5)
    assert desk.channel.addresses == [KIM.email, "team@vendor.example"]


async def test_holds_use_up_nothing_of_the_retry_schedule(make: MakeDesk) -> None:
    desk = make(BUSY, rules=PATIENT)
    await desk.ask(a_notification())
    for _ in range(20):
        await desk.later(seconds=1)
    for _ in range(6):
        await desk.later(minutes=3)
    found = await desk.detail()
    assert (found.status, found.reason) == (Status.FAILED, "given up after 4 attempts: 451 busy")
    assert [each.outcome for each in found.attempts] == ["deferred"] * 4


async def test_a_template_that_fails_fails_the_notification(desk: Desk) -> None:
    await desk.take_in(a_notification(template="broken"))
    await desk.round()
    found = await desk.detail()
    assert (found.status, found.reason) == (Status.FAILED, "template broken: 'owner' is undefined")
    assert desk.channel.sent == []


async def test_what_has_expired_is_not_sent(desk: Desk) -> None:
    await desk.take_in(a_notification(expires_at=START + timedelta(hours=1)))
    await desk.later(hours=1)
    assert (await desk.detail()).status is Status.EXPIRED
    assert desk.channel.sent == []


async def test_after_a_crash_it_is_sent_again_when_the_lease_ends(desk: Desk) -> None:
    await desk.take_in(a_notification())
    (job,) = await desk.claim()
    await desk.delivery.attempt(job)  # and the process dies before it can record
    assert await desk.round() == []
    await desk.later(minutes=2)
    assert len(desk.channel.sent) == 2
    found = await desk.detail()
    assert [(each.number, each.outcome) for each in found.attempts] == [(1, "unknown"), (2, "accepted")]


async def test_after_a_crash_it_is_not_repeated_where_a_repeat_is_not_known(make: MakeDesk) -> None:
    desk = make(channel=ScriptedChannel(manners=Manners(at_once=1, repeatable=False)))
    await desk.take_in(a_notification())
    (job,) = await desk.claim()
    await desk.delivery.attempt(job)
    await desk.later(minutes=2)
    assert len(desk.channel.sent) == 1
    found = await desk.detail()
    assert (found.status, found.reason) == (
        Status.UNKNOWN,
        "its sender died while sending; it may have gone out, and is not repeated",
    )
    assert await desk.told() == ["n-1 unknown"]


async def test_what_may_have_gone_out_is_repeated_only_where_a_repeat_is_known(make: MakeDesk) -> None:
    known = make(LOST, KEPT)
    await known.take_in(a_notification())
    await known.round()
    assert (await known.detail()).status is Status.RETRY
    once = make(channel=ScriptedChannel([LOST], manners=Manners(at_once=1, repeatable=False)))
    await once.take_in(a_notification("n-2"))
    await once.round()
    assert (await once.detail("n-2")).status is Status.UNKNOWN


async def test_a_notification_that_kills_its_sender_does_not_do_so_for_ever(desk: Desk) -> None:
    await desk.take_in(a_notification())
    for _ in range(RETRIES.attempts):
        assert len(await desk.claim()) == 1
        desk.clock.advance(LEASE)
    await desk.round()
    found = await desk.detail()
    assert found.status is Status.FAILED
    assert [each.outcome for each in found.attempts] == ["unknown"] * 4


async def test_an_outcome_that_comes_too_late_is_not_recorded_and_not_told(
    desk: Desk, make: MakeDesk
) -> None:
    await desk.take_in(a_notification())
    (job,) = await desk.claim()
    late = await desk.delivery.attempt(job)
    desk.clock.advance(LEASE)
    other = make(clock=desk.clock, owner="sender-2")
    assert len(await other.claim()) == 1
    assert await desk.record(late) == []
    assert await desk.told() == []


async def test_an_address_that_does_not_exist_is_not_written_to_again(make: MakeDesk) -> None:
    desk = make(NO_USER, KEPT)
    await desk.take_in(a_notification("n-1"), a_notification("n-2"))
    await desk.round(limit=1)
    await desk.round()
    assert len(desk.channel.sent) == 1
    statuses = {each: (await desk.detail(each)).status for each in ("n-1", "n-2")}
    assert sorted(statuses.values()) == [Status.FAILED, Status.SUPPRESSED]
    assert [each.split()[1] for each in await desk.told()] == ["bounced", "suppressed"]


async def test_a_full_endpoint_keeps_no_other_waiting(make: MakeDesk) -> None:
    reach = Reach(mail_address, endpoints=frozenset({"slow", "quick"}))
    desk = make(channel=ScriptedChannel(reach=reach, manners=Manners(at_once=2)))
    slow = [a_notification(f"slow-{each}", recipients=(Wanted("endpoint", "slow"),)) for each in range(6)]
    await desk.ask(*slow)
    assert len(await desk.claim(limit=4)) == 2
    await desk.ask(a_notification("quick", recipients=(Wanted("endpoint", "quick"),)))
    begun = [each.begun.notification.id for _ in range(3) for each in await desk.claim(limit=2)]
    assert begun == ["quick"]
    assert (await desk.detail("slow-5")).status is Status.PENDING


async def test_an_endpoint_out_of_order_is_left_alone_and_what_is_for_it_uses_up_no_attempt(
    make: MakeDesk,
) -> None:
    desk = make(*[BROKEN] * 5, KEPT)
    await desk.take_in(*(a_notification(f"n-{each}") for each in range(8)))
    for _ in range(8):
        await desk.round(limit=1)
    assert len(desk.channel.sent) == 5
    held = [await desk.detail(f"n-{each}") for each in range(8)]
    assert sorted(each.status for each in held) == [Status.HELD] * 3 + [Status.RETRY] * 5
    assert {each.held_by for each in held if each.status is Status.HELD} == {"endpoint"}
    desk.clock.advance(timedelta(seconds=10))
    assert len(await desk.round()) == 1  # on trial
    while await desk.round():
        pass
    found = [await desk.detail(f"n-{each}") for each in range(8)]
    assert {each.status for each in found} == {Status.SENT}
    assert sorted(each.attempt_count for each in found) == [1] * 3 + [2] * 5


async def test_what_waits_for_an_endpoint_on_trial_keeps_no_other_waiting(make: MakeDesk) -> None:
    reach = Reach(mail_address, endpoints=frozenset({"slow", "quick"}))
    desk = make(channel=ScriptedChannel([BROKEN], reach=reach, manners=Manners(at_once=7)))
    await desk.ask(
        *(a_notification(f"slow-{each}", recipients=(Wanted("endpoint", "slow"),)) for each in range(7))
    )
    jobs = await desk.claim()
    await desk.record(*[await desk.delivery.attempt(job) for job in jobs[:5]])
    desk.clock.advance(timedelta(seconds=10))  # its rest is over, two are still in hand
    await desk.ask(
        *(a_notification(f"more-{each}", recipients=(Wanted("endpoint", "slow"),)) for each in range(8))
    )
    await desk.ask(a_notification("quick", recipients=(Wanted("endpoint", "quick"),)))
    begun = [each.begun.notification.id for _ in range(4) for each in await desk.claim(limit=4)]
    assert begun == ["quick"]  # each look learns of four more where they go, and passes them over then


async def test_an_endpoint_that_wants_them_one_by_one_has_them_so_over_all_senders(make: MakeDesk) -> None:
    manners = Manners(at_once=5, every=timedelta(seconds=1))
    channel = ScriptedChannel(manners=manners)
    one, other = make(channel=channel), make(channel=channel, owner="sender-2")
    other.clock = other.delivery._clock = one.clock
    await one.take_in(*(a_notification(f"n-{each}") for each in range(4)))
    sent = []
    for _ in range(6):
        await one.round()
        await other.round()
        sent.append(len(channel.sent))
        one.clock.advance(timedelta(seconds=1))
    assert sent == [1, 2, 3, 4, 4, 4]


async def test_messages_of_one_run_to_one_person_are_a_thread(desk: Desk) -> None:
    for name, run in (("n-1", "run-1"), ("n-2", "run-1"), ("n-3", "run-2"), ("n-4", "run-1")):
        await desk.take_in(a_notification(name, run_id=run))
        await desk.round()
        desk.clock.advance(timedelta(seconds=1))
    threads = [each.begun.thread for each in desk.channel.sent]
    assert threads == [(), ("n-1",), (), ("n-1", "n-2")]


async def test_the_template_is_told_who_reads_it(make: MakeDesk) -> None:
    renderer = FixedRenderer()
    desk = make(renderer=renderer)
    async with desk.open_work() as work:
        await work.directory.record([an_entry(email=KIM.email, role="owner", locale="de")])
    await desk.ask(a_notification())
    await desk.round()
    ((locale, variables),) = renderer.seen
    assert locale == "de"
    assert (variables["account"]["name"], variables["unsubscribe_url"]) == ("Acme", None)
