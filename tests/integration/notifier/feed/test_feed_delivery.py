"""Deliveries to real HTTP receivers: signatures, retries, endpoints that hang, throttle or want no more."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from tests.integration.notifier.channels.receiver import Came, Receiver, hung, said
from tests.integration.notifier.feed.house import RULES, House
from tests.support.waiting import eventually
from tests.unit.notifier.feed.builders import a_snapshot, snapshot_record

from notifier.adapters.feed.pruning import FeedPruning
from notifier.application.feed_ports import DeliveryView, Wants
from notifier.domain.notification import Status
from notifier.domain.subscriptions import Filters

BANDS = Wants(filters=Filters(events=("band",)))


@pytest.fixture(autouse=True)
def now(house: House) -> None:
    """Standard Webhooks refuse signatures that are not of now; so the clock of these tests stands at the real time."""
    house.clock.set(datetime.now(UTC))


async def changes(house: House, number: int, *, first: int = 1) -> None:
    """So many changes of band, of as many accounts."""
    at = house.clock.now() + timedelta(seconds=1)
    snapshots = [a_snapshot(1, account=f"a-{n}", evaluated_at=at) for n in range(first, first + number)]
    await house.take(*[snapshot_record(place, each) for place, each in enumerate(snapshots)])


async def log(house: House, id_: str) -> list[DeliveryView]:
    """All deliveries of a subscription."""
    return list(await house.desk.deliveries(id_, None, None, 500))


def verified(came: Came, secret: str) -> object:
    """The message, if the official library takes its signature for good."""
    return Webhook(secret).verify(came.body, came.headers)


async def test_a_message_is_signed_and_its_id_is_the_delivery(house: House, receiver: Receiver) -> None:
    id_, secret = await house.subscribe(receiver.url, BANDS)
    await changes(house, 1)
    assert await house.send() == 1
    (came,) = receiver.came
    message = verified(came, secret)
    (delivery,) = await log(house, id_)
    assert delivery.status is Status.SENT
    assert came.headers["webhook-id"] == delivery.id
    assert isinstance(message, dict)
    assert (message["id"], message["type"]) == (delivery.id, "health.band_changed")
    assert message["data"]["band"] == {"before": None, "after": "neutral"}


async def test_a_retry_has_the_same_id_and_body(house: House, receiver: Receiver) -> None:
    receiver.answers = [said(503), said(500), said(204)]
    id_, secret = await house.subscribe(receiver.url, BANDS)
    await changes(house, 1)
    for _ in range(3):
        await house.send()
        house.clock.advance(timedelta(seconds=31))
    assert len({each.headers["webhook-id"] for each in receiver.came}) == 1
    assert len({each.body for each in receiver.came}) == 1
    (delivery,) = await log(house, id_)
    detail = await house.desk.delivery(id_, delivery.id)
    assert [each.code for each in detail.attempts] == [503, 500, 204]
    assert [each.outcome for each in detail.attempts] == ["deferred", "deferred", "accepted"]
    assert all(each.duration_ms is not None for each in detail.attempts)
    verified(receiver.came[0], secret)


async def test_old_and_new_secret_sign_during_a_rotation_and_then_the_new_one_alone(
    house: House, receiver: Receiver
) -> None:
    id_, first = await house.subscribe(receiver.url, BANDS)
    second = (await house.desk.rotate(id_, None)).secret
    third = (await house.desk.rotate(id_, timedelta(hours=1))).secret
    await changes(house, 1)
    await house.send()
    for secret in (first, second, third):
        verified(receiver.came[0], secret)
    house.clock.advance(timedelta(hours=1))
    assert list(await _secrets(house, id_)) == [third]
    house.clock.advance(timedelta(hours=-1))
    await house.desk.rotate(id_, timedelta(0))
    await changes(house, 1, first=2)
    await house.send()
    with pytest.raises(WebhookVerificationError):
        verified(receiver.came[1], first)


async def _secrets(house: House, id_: str) -> Sequence[str]:
    async with house.open_feed() as feed:
        return await feed.subscriptions.secrets(id_, house.clock.now())


async def test_an_endpoint_that_wants_no_more_is_disabled_and_what_waits_is_kept(
    house: House, receiver: Receiver
) -> None:
    receiver.answers = [said(410)] * 8
    id_, _ = await house.subscribe(receiver.url, BANDS)
    await changes(house, 12)
    assert await house.send() == 4
    found = await house.desk.find(id_)
    assert (found.status, found.waiting) == ("disabled", 8)
    assert found.disabled_reason is not None
    assert "410" in found.disabled_reason
    receiver.answers = []
    await house.desk.enable(id_, "send")
    for _ in range(8):
        await house.send()
        house.clock.advance(timedelta(seconds=1))
    assert len(receiver.came) == 12
    assert (await house.desk.find(id_)).waiting == 0


async def test_what_waits_can_be_dropped_when_it_is_enabled(house: House, receiver: Receiver) -> None:
    id_, _ = await house.subscribe(receiver.url, BANDS)
    await changes(house, 3)
    await house.desk.disable(id_, "by hand")
    assert await house.send() == 0
    found = await house.desk.enable(id_, "drop")
    assert (found.status, found.waiting) == ("active", 0)
    assert {each.status for each in await log(house, id_)} == {Status.CANCELLED}


async def test_an_endpoint_is_disabled_when_deliveries_in_a_row_are_given_up(
    house: House, receiver: Receiver
) -> None:
    receiver.answers = [said(400)] * 3
    id_, _ = await house.subscribe(receiver.url, BANDS)
    await changes(house, 3)
    await house.send()
    found = await house.desk.find(id_)
    assert found.status == "disabled"
    assert found.given_up == 3


async def test_an_endpoint_is_disabled_when_nothing_has_succeeded_for_days(
    house: House, receiver: Receiver
) -> None:
    receiver.answers = [said(503)] * 2
    id_, _ = await house.subscribe(receiver.url, BANDS)
    await changes(house, 1)
    await house.send()
    assert (await house.desk.find(id_)).failing_since == house.clock.now()
    house.clock.advance(timedelta(days=3))
    await house.send()
    assert (await house.desk.find(id_)).status == "disabled"


async def test_one_success_makes_it_well(house: House, receiver: Receiver) -> None:
    receiver.answers = [said(400), said(400), said(200)]
    id_, _ = await house.subscribe(receiver.url, BANDS)
    for n in range(3):
        await changes(house, 1, first=n)
        await house.send()
    found = await house.desk.find(id_)
    assert (found.status, found.given_up, found.failing_since) == ("active", 0, None)


async def test_a_receiver_that_throttles_is_given_the_pause_it_asked_for(
    house: House, receiver: Receiver
) -> None:
    receiver.answers = [said(429, retry_after="120")]
    id_, _ = await house.subscribe(receiver.url, BANDS)
    await changes(house, 1)
    sender = house.delivery()
    await house.send(sender)
    (delivery,) = await log(house, id_)
    assert (delivery.status, delivery.next_attempt_at) == (
        Status.RETRY,
        house.clock.now() + timedelta(seconds=120),
    )
    await changes(house, 1, first=2)
    assert await house.send(sender) == 0, "the endpoint rests as a whole"
    house.clock.advance(timedelta(seconds=120))
    assert await house.send(sender) == 2


async def test_an_endpoint_that_hangs_delays_no_other(
    house: House, receiver: Receiver, other: Receiver
) -> None:
    receiver.answers = [hung] * 4
    await house.subscribe(receiver.url, BANDS, "hangs")
    await house.subscribe(other.url, BANDS, "answers")
    await changes(house, 30)
    async with house.sending() as sender:
        sender.wake()
        await eventually(lambda: len(other.came) == 30 and len(receiver.came) == 4, what="the other has all")
        assert receiver.connections == 4
    statuses = await house.rows(
        "SELECT status, count(*) FROM feed_deliveries GROUP BY status ORDER BY status"
    )
    assert statuses == [("pending", 26), ("retry", 4), ("sent", 30)]


async def test_what_a_dead_sender_left_is_sent_again_under_the_same_id(
    house: House, receiver: Receiver
) -> None:
    id_, _ = await house.subscribe(receiver.url, BANDS)
    await changes(house, 1)
    dead = house.delivery("dead")
    async with house.open_feed() as feed:
        (job,), _ = await dead.claim(feed, 10)
    attempted = await dead.attempt(job)
    assert await house.send() == 0, "it is in somebody's hands"
    house.clock.advance(RULES.lease)
    await house.send()
    async with house.open_feed() as feed:
        assert await dead.record(feed, [attempted]) == frozenset()
    assert [each.headers["webhook-id"] for each in receiver.came] == [job.id] * 2
    (delivery,) = await log(house, id_)
    detail = await house.desk.delivery(id_, delivery.id)
    assert [each.outcome for each in detail.attempts] == ["unknown", "accepted"]


async def test_senders_share_the_work_and_repeat_none(house: House, receiver: Receiver) -> None:
    await house.subscribe(receiver.url, BANDS)
    await changes(house, 60)
    made = await asyncio.gather(*(house.send(house.delivery(f"sender-{n}")) for n in range(3)))
    assert sum(made) == 60
    assert len({each.headers["webhook-id"] for each in receiver.came}) == len(receiver.came) == 60


async def test_what_failed_is_replayed_at_a_limited_rate_under_the_same_ids(
    house: House, receiver: Receiver
) -> None:
    receiver.answers = [said(400)] * 2
    id_, _ = await house.subscribe(receiver.url, BANDS)
    await changes(house, 2)
    await house.send()
    assert await house.desk.replay(id_, None) == 2
    assert await house.send() == 1
    house.clock.advance(timedelta(seconds=1))
    assert await house.send() == 1
    ids = [each.headers["webhook-id"] for each in receiver.came]
    assert sorted(ids[:2]) == sorted(ids[2:])
    assert {each.status for each in await log(house, id_)} == {Status.SENT}


async def test_a_deleted_subscription_is_told_nothing_more(house: House, receiver: Receiver) -> None:
    id_, _ = await house.subscribe(receiver.url, BANDS)
    await changes(house, 2)
    await house.desk.delete(id_)
    assert await house.send() == 0
    for table in ("feed_deliveries", "feed_told", "subscription_secrets"):
        assert await house.rows(f"SELECT * FROM {table}") == []


async def test_a_test_event_is_sent_now_and_its_answer_is_told(house: House, receiver: Receiver) -> None:
    receiver.answers = [said(200, b"thank  you"), said(500)]
    id_, secret = await house.subscribe(receiver.url, BANDS)
    tried = await house.desk.test(id_)
    message = verified(receiver.came[0], secret)
    assert isinstance(message, dict)
    assert (message["type"], message["data"]["test"]) == ("health.test", True)
    assert (tried.outcome, tried.code, tried.said) == ("accepted", 200, "thank you")
    assert (await house.desk.test(id_)).code == 500
    assert await log(house, id_) == []


async def test_too_much_that_waits_is_dropped_the_oldest_first(house: House, receiver: Receiver) -> None:
    id_, _ = await house.subscribe(receiver.url, BANDS)
    for n in range(5):
        await changes(house, 1, first=n)
        house.clock.advance(timedelta(seconds=1))
    pruning = FeedPruning(house.engine, kept=timedelta(days=30), failed_kept=timedelta(days=90), backlog=3)
    assert await pruning.trim(house.clock.now()) == 2
    assert await pruning.trim(house.clock.now()) == 0
    statuses = [each.status for each in await log(house, id_)]
    assert statuses == [Status.PENDING] * 3 + [Status.CANCELLED] * 2
    assert (await house.desk.find(id_)).dropped == 2


async def test_what_was_sent_goes_after_a_month_and_what_failed_after_three(
    house: House, receiver: Receiver
) -> None:
    receiver.answers = [said(200), said(400)]
    id_, _ = await house.subscribe(receiver.url, BANDS)
    await changes(house, 1)
    await house.send()
    await changes(house, 1, first=2)
    await house.send()
    await changes(house, 1, first=3)
    pruning = FeedPruning(house.engine, kept=timedelta(days=30), failed_kept=timedelta(days=90), backlog=100)
    left = []
    for days in (29, 31, 91):
        await pruning.prune(house.clock.now() + timedelta(days=days))
        left.append(sorted(each.status.value for each in await log(house, id_)))
    assert left == [["failed", "pending", "sent"], ["failed", "pending"], ["pending"]]
