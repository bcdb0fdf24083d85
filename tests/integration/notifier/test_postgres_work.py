"""The notifier's tables in one transaction, and what only several connections can show."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import detail
from tests.support.clock import START
from tests.unit.notifier.builders import LEASE, RECIPIENT, a_notification, an_entry, begun

from notifier.application.ports import Attempted, Begun, DirectoryEntry, Due, Erased, OpenWork, Settled
from notifier.application.views import DecisionView, NotificationFilter
from notifier.domain.delivery import Answer, Verdict
from notifier.domain.notification import Notification, Status, Wanted
from notifier.domain.recipients import Contact, Decision

SOON = START + timedelta(seconds=1)
LATER = START + timedelta(minutes=10)
SENT = Verdict(status=Status.SENT, answer=Answer("accepted", "Kept", 250))
FAILED = Verdict(status=Status.FAILED, reason="no such user", answer=Answer("refused", "no user", 550))
ALL = NotificationFilter()


async def add(open_work: OpenWork, *notifications: Notification, now: datetime = START) -> None:
    async with open_work() as work:
        await work.notifications.add(notifications, now)


async def due(
    open_work: OpenWork, now: datetime = START, limit: int = 10, busy: Sequence[str] = ()
) -> list[Due]:
    async with open_work() as work:
        return list(await work.notifications.due(now, limit, busy))


async def begin(open_work: OpenWork, now: datetime = START, limit: int = 10) -> list[Begun]:
    """As a sender does: look, and begin all that is due."""
    async with open_work() as work:
        found = [
            begun(each.notification, attempt=each.attempts + 1, lease_until=now + LEASE)
            for each in await work.notifications.due(now, limit, ())
        ]
        await work.notifications.begin(found, "sender-1", now)
    return found


async def record(open_work: OpenWork, attempt: Begun, verdict: Verdict = SENT, now: datetime = SOON) -> bool:
    async with open_work() as work:
        return attempt.notification.id in await work.notifications.record([Attempted(attempt, verdict)], now)


async def put(open_work: OpenWork, *entries: DirectoryEntry) -> None:
    async with open_work() as work:
        await work.directory.record(entries)


async def contacts(open_work: OpenWork, account_id: str = "acme") -> Sequence[Contact]:
    async with open_work() as work:
        return (await work.directory.of_accounts({account_id})).get(account_id, ())


async def erase_account(open_work: OpenWork, account_id: str = "acme") -> Erased:
    async with open_work() as work:
        return await work.erasures.of_accounts({account_id: LATER})


async def erase_contact(open_work: OpenWork, contact_id: str) -> Erased:
    async with open_work() as work:
        return await work.erasures.of_contacts({("acme", contact_id): LATER})


async def fail_half_way(open_work: OpenWork) -> None:
    async with open_work() as work:
        await work.notifications.add([a_notification()], START)
        await work.directory.record([an_entry(name="Kim")])
        raise RuntimeError("no commit")


async def test_a_transaction_that_fails_leaves_nothing(open_work: OpenWork) -> None:
    with pytest.raises(RuntimeError):
        await fail_half_way(open_work)
    assert await due(open_work) == []
    assert await contacts(open_work) == ()


async def test_a_notification_comes_back_as_it_was_asked_for_and_once(open_work: OpenWork) -> None:
    asked = a_notification(
        recipients=(Wanted("role", "champion"), Wanted("endpoint", "crm")),
        priority=70,
        if_held="drop",
        expires_at=LATER,
        traceparent="00-1-2-01",
    )
    await add(open_work, asked, a_notification("n-2", kind="digest"))
    await add(open_work, replace(asked, category="other"), now=SOON)
    first, second = sorted(await due(open_work), key=lambda each: each.notification.id)
    assert first == Due(notification=asked, received_at=START)
    assert second.notification.kind == "digest"


async def test_the_longest_due_come_first_and_no_more_than_asked_for(open_work: OpenWork) -> None:
    for minute, name in ((2, "c"), (0, "a"), (1, "b")):
        await add(open_work, a_notification(name), now=START + timedelta(minutes=minute))
    assert [each.notification.id for each in await due(open_work, LATER, limit=2)] == ["a", "b"]
    assert await due(open_work, START - timedelta(seconds=1)) == []


async def test_what_is_for_a_busy_endpoint_is_passed_over(open_work: OpenWork) -> None:
    await add(open_work, a_notification("a"), a_notification("b"))
    async with open_work() as work:
        await work.notifications.meant_for({"a": "slow"})
    assert [each.notification.id for each in await due(open_work, busy=["slow"])] == ["b"]
    assert len(await due(open_work, busy=["other"])) == 2


async def test_what_has_begun_is_nobody_elses_until_the_lease_ends(open_work: OpenWork) -> None:
    await add(open_work, a_notification())
    assert len(await begin(open_work)) == 1
    assert (await detail(open_work)).status is Status.SENDING
    assert await due(open_work, START + LEASE - timedelta(milliseconds=1)) == []
    (again,) = await due(open_work, START + LEASE)
    assert (again.attempts, again.interrupted) == (1, True)


async def test_an_attempt_that_never_ended_becomes_unknown(open_work: OpenWork) -> None:
    await add(open_work, a_notification())
    await begin(open_work)
    await begin(open_work, START + LEASE)
    lost, present = (await detail(open_work)).attempts
    assert (lost.number, lost.outcome, lost.ended_at) == (1, "unknown", START + LEASE)
    assert (present.number, present.outcome, present.ended_at) == (2, None, None)


async def test_an_outcome_is_final_and_kept_with_its_reasons(open_work: OpenWork) -> None:
    await add(open_work, a_notification())
    (attempt,) = await begin(open_work)
    assert await record(open_work, attempt)
    found = await detail(open_work)
    assert (found.status, found.finished_at, found.attempt_count) == (Status.SENT, SOON, 1)
    assert found.decision == DecisionView(kind="contact", contact_id="kim", why=attempt.why)
    (kept,) = found.attempts
    assert (kept.started_at, kept.ended_at) == (START, SOON)
    assert (kept.outcome, kept.code, kept.detail) == ("accepted", 250, "Kept")
    assert await due(open_work, START + timedelta(days=365)) == []


async def test_a_retry_comes_back_at_its_time_and_is_no_interruption(open_work: OpenWork) -> None:
    await add(open_work, a_notification())
    (attempt,) = await begin(open_work)
    wake_at = START + timedelta(seconds=30)
    busy = Answer("deferred", "451", 451)
    await record(
        open_work, attempt, Verdict(status=Status.RETRY, reason="busy", wake_at=wake_at, answer=busy)
    )
    found = await detail(open_work)
    assert (found.status, found.reason, found.next_attempt_at) == (Status.RETRY, "busy", wake_at)
    assert found.finished_at is None
    assert await due(open_work, wake_at - timedelta(milliseconds=1)) == []
    (again,) = await due(open_work, wake_at)
    assert (again.attempts, again.interrupted) == (1, False)


async def test_what_is_held_comes_back_with_what_it_waited_for(open_work: OpenWork) -> None:
    await add(open_work, a_notification())
    asked = a_notification()
    held = Verdict(status=Status.HELD, reason="it is night", wake_at=LATER, held_by="quiet_hours")
    async with open_work() as work:
        kim = Decision(RECIPIENT, "owner: kim")
        await work.notifications.settle(
            [Settled(notification=asked, verdict=held, decision=kim, endpoint="mail", person="kim")], START
        )
    found = await detail(open_work)
    assert (found.status, found.held_by, found.next_attempt_at) == (Status.HELD, "quiet_hours", LATER)
    assert (found.reason, found.attempts, found.finished_at) == ("it is night", (), None)
    assert await due(open_work, SOON) == []
    (again,) = await due(open_work, LATER)
    assert (again.attempts, again.held_by) == (0, "quiet_hours")


async def test_a_decision_for_nobody_is_kept_too(open_work: OpenWork) -> None:
    await add(open_work, a_notification())
    nobody = Verdict(status=Status.UNDELIVERABLE, reason="nobody")
    async with open_work() as work:
        settled = Settled(notification=a_notification(), verdict=nobody, decision=Decision(None, "nobody"))
        await work.notifications.settle([settled], SOON)
    found = await detail(open_work)
    assert found.decision == DecisionView(kind=None, contact_id=None, why="nobody")
    assert (found.status, found.finished_at) == (Status.UNDELIVERABLE, SOON)


async def test_a_record_of_an_attempt_that_was_taken_over_changes_nothing(open_work: OpenWork) -> None:
    await add(open_work, a_notification())
    (late,) = await begin(open_work)
    (present,) = await begin(open_work, START + LEASE)
    assert not await record(open_work, late, FAILED)
    assert (await detail(open_work)).status is Status.SENDING
    assert await record(open_work, present)
    assert not await record(open_work, present, FAILED)
    assert (await detail(open_work)).status is Status.SENT


async def test_whether_a_person_has_a_message_on_its_way_is_known(open_work: OpenWork) -> None:
    await add(open_work, a_notification())
    (attempt,) = await begin(open_work)

    async def in_hand(at: datetime, person: str = "kim's pseudonym") -> bool:
        async with open_work() as work:
            return await work.notifications.in_hand({person}, at)

    assert await in_hand(SOON)
    assert not await in_hand(SOON, "somebody else")
    assert not await in_hand(START - timedelta(seconds=1))
    assert not await in_hand(START + LEASE)
    await record(open_work, attempt)
    assert not await in_hand(SOON)


async def test_two_who_look_at_the_same_time_share_what_is_due(open_work: OpenWork) -> None:
    await add(open_work, *(a_notification(f"n-{number}") for number in range(5)))
    async with open_work() as one, open_work() as other:
        ones = await one.notifications.due(START, 3, ())
        others = await other.notifications.due(START, 3, ())
    names = [each.notification.id for each in [*ones, *others]]
    assert (len(ones), len(others)) == (3, 2)
    assert sorted(names) == [f"n-{number}" for number in range(5)]


async def test_one_turn_at_a_time_over_all_senders(open_work: OpenWork) -> None:
    second = timedelta(seconds=1)

    async def turn(at: datetime, endpoint: str = "a") -> datetime | None:
        async with open_work() as work:
            return await work.paces.turn(endpoint, second, at)

    assert await turn(START) is None
    assert await turn(START) == SOON
    assert await turn(START, "b") is None
    assert await turn(SOON) is None
    assert await turn(SOON + second / 2) == SOON + second


# ---- for readers


async def test_pages_are_newest_first_and_follow_one_another(open_work: OpenWork) -> None:
    notifications = [
        a_notification(f"n-{number}", requested_at=START + timedelta(minutes=number // 2))
        for number in range(5)
    ]
    await add(open_work, *notifications)
    async with open_work() as work:
        first = await work.notifications.page(ALL, None, 3)
        rest = await work.notifications.page(ALL, (first[-1].requested_at, first[-1].id), 3)
    assert [each.id for each in [*first, *rest]] == ["n-4", "n-3", "n-2", "n-1", "n-0"]


async def test_pages_can_be_of_one_account_or_one_status(open_work: OpenWork) -> None:
    await add(open_work, a_notification("a"), a_notification("b", account_id="globex"))
    (one, _) = await begin(open_work)
    await record(open_work, one)
    async with open_work() as work:
        of_globex = await work.notifications.page(NotificationFilter(account_id="globex"), None, 10)
        sent = await work.notifications.page(NotificationFilter(status=Status.SENT), None, 10)
        neither = await work.notifications.page(
            NotificationFilter(account_id="initech", status=Status.SENT), None, 10
        )
    assert [each.id for each in of_globex] == ["b"]
    assert [each.id for each in sent] == [one.notification.id]
    assert neither == []


async def test_a_detail_tells_what_was_asked_for_and_why(open_work: OpenWork) -> None:
    notification = a_notification()
    await add(open_work, notification)
    found = await detail(open_work)
    assert found.wanted == notification.recipients
    assert found.chain == notification.chain
    assert (found.status, found.next_attempt_at, found.decision) == (Status.PENDING, START, None)
    async with open_work() as work:
        assert await work.notifications.detail("unheard-of") is None


# ---- the directory


async def test_a_newer_entry_replaces_the_fields_it_has(open_work: OpenWork) -> None:
    await put(open_work, an_entry(name="Kim", email="old@vendor.example", role="owner"))
    await put(open_work, an_entry(at=SOON, email="new@vendor.example"))
    assert await contacts(open_work) == [
        Contact(contact_id="kim", name="Kim", email="new@vendor.example", role="owner")
    ]


async def test_an_older_entry_only_fills_what_is_unknown(open_work: OpenWork) -> None:
    await put(open_work, an_entry(at=SOON, email="new@vendor.example"))
    await put(open_work, an_entry(name="Kim", email="old@vendor.example"))
    await put(open_work, an_entry(at=START + timedelta(milliseconds=500), email="middle@vendor.example"))
    (found,) = await contacts(open_work)
    assert (found.email, found.name) == ("new@vendor.example", "Kim")


async def test_of_two_entries_of_one_moment_the_later_one_counts(open_work: OpenWork) -> None:
    first = an_entry(email="first@vendor.example")
    await put(open_work, first, an_entry(email="second@vendor.example"))
    (found,) = await contacts(open_work)
    assert found.email == "second@vendor.example"


async def test_who_is_called_inactive_is_inactive(open_work: OpenWork) -> None:
    await put(open_work, an_entry("kim", active=False), an_entry("lee", active=True), an_entry("max"))
    assert {each.contact_id: each.active for each in await contacts(open_work)} == {
        "kim": False,
        "lee": True,
        "max": True,
    }


async def test_contacts_belong_to_their_account(open_work: OpenWork) -> None:
    await put(open_work, an_entry("kim", name="Kim"), an_entry("kim", account_id="globex", name="Other Kim"))
    async with open_work() as work:
        found = await work.directory.of_accounts({"acme", "globex", "initech"})
    assert {account: [each.name for each in people] for account, people in found.items()} == {
        "acme": ["Kim"],
        "globex": ["Other Kim"],
    }


async def test_an_erased_contact_is_gone_until_it_is_told_anew(open_work: OpenWork) -> None:
    entry = an_entry(name="Kim", email="kim@vendor.example")
    await put(open_work, entry, an_entry("lee"))
    async with open_work() as work:
        await work.directory.erase([entry.key, b"unheard/of"])
    assert [each.contact_id for each in await contacts(open_work)] == ["lee"]
    await put(open_work, replace(entry, contact=replace(entry.contact, email=None)))
    found = {each.contact_id: each for each in await contacts(open_work)}
    assert (found["kim"].name, found["kim"].email) == ("Kim", None)


# ---- erasures


async def test_an_erased_account_has_no_contacts_and_nothing_more_is_sent_about_it(
    open_work: OpenWork,
) -> None:
    await put(open_work, an_entry(), an_entry("lee"), an_entry(account_id="other"))
    await add(open_work, a_notification("sent"))
    (claimed,) = await begin(open_work)
    await record(open_work, claimed, FAILED)
    await add(open_work, a_notification("waits"), a_notification("others", account_id="other"))
    erased = await erase_account(open_work)
    assert (erased.contacts, erased.notifications, erased.attempts) == (2, 2, 1)
    assert [each.id for each in erased.cancelled] == ["waits"]
    assert await contacts(open_work) == ()
    assert len(await contacts(open_work, "other")) == 1
    found = await detail(open_work, "sent")
    assert (found.status, found.reason) == (Status.FAILED, "erased")
    assert [each.detail for each in found.attempts] == [None]
    found = await detail(open_work, "waits")
    assert (found.status, found.reason, found.finished_at) == (Status.CANCELLED, "erased", LATER)
    assert [each.notification.id for each in await begin(open_work, LATER)] == ["others"]


async def test_erasing_again_changes_nothing(open_work: OpenWork) -> None:
    await put(open_work, an_entry())
    await add(open_work, a_notification())
    await erase_account(open_work)
    assert await erase_account(open_work) == Erased(0, 0, 0, [])


async def test_what_came_after_the_erasure_is_left_alone(open_work: OpenWork) -> None:
    late = LATER + timedelta(seconds=1)
    await put(open_work, an_entry(at=late))
    await add(open_work, a_notification(requested_at=late))
    assert await erase_account(open_work) == Erased(0, 0, 0, [])
    assert len(await contacts(open_work)) == 1
    assert len(await begin(open_work, late)) == 1


async def test_it_is_known_when_an_account_was_erased_last(open_work: OpenWork) -> None:
    for at in (LATER, SOON):
        async with open_work() as work:
            await work.erasures.of_accounts({"acme": at})
    async with open_work() as work:
        assert await work.erasures.erased_at({"acme", "other"}) == {"acme": LATER}


async def test_a_message_that_is_being_sent_is_cancelled_and_its_outcome_is_nobody_s(
    open_work: OpenWork,
) -> None:
    await add(open_work, a_notification())
    (claimed,) = await begin(open_work)
    await erase_account(open_work)
    assert not await record(open_work, claimed)
    assert (await detail(open_work)).status is Status.CANCELLED


async def test_of_an_erased_contact_what_was_for_them_alone_is_cancelled(open_work: OpenWork) -> None:
    kim, lee = Wanted("contact", "kim"), Wanted("contact", "lee")
    await add(
        open_work,
        a_notification("kim", recipients=(kim,)),
        a_notification("kim-or-lee", recipients=(kim, lee)),
        a_notification("owner"),
    )
    erased = await erase_contact(open_work, "kim")
    assert [each.id for each in erased.cancelled] == ["kim"]
    found = await detail(open_work, "kim")
    assert (found.status, found.reason) == (Status.CANCELLED, "erased")
    waiting = await begin(open_work, LATER)
    assert {each.notification.id for each in waiting} == {"kim-or-lee", "owner"}
    assert all(each.notification.context for each in waiting)


async def test_what_was_said_to_an_erased_contact_is_forgotten(open_work: OpenWork) -> None:
    await add(open_work, a_notification())
    (to_kim,) = await begin(open_work)
    await record(open_work, to_kim, FAILED)
    await add(open_work, a_notification("nobody"))
    nobody = Verdict(status=Status.UNDELIVERABLE, reason="nobody")
    async with open_work() as work:
        settled = Settled(
            notification=a_notification("nobody"), verdict=nobody, decision=Decision(None, "nobody")
        )
        await work.notifications.settle([settled], SOON)
    erased = await erase_contact(open_work, "kim")
    assert (erased.contacts, erased.notifications, erased.attempts) == (0, 1, 1)
    assert await erase_contact(open_work, "kim") == Erased(0, 0, 0, [])
    found = await detail(open_work)
    assert (found.status, found.reason) == (Status.FAILED, "erased")
    assert [each.detail for each in found.attempts] == [None]
    assert (await detail(open_work, "nobody")).reason == "nobody"


async def test_consents_are_kept_by_purpose(open_work: OpenWork) -> None:
    await put(open_work, an_entry(consents={"marketing": False, "product": True}))
    await put(open_work, an_entry(at=START + timedelta(seconds=1), consents={"product": False}))
    await put(open_work, an_entry(consents={"product": True, "surveys": True}))
    (found,) = await contacts(open_work)
    assert found.consents == {"marketing": False, "product": False, "surveys": True}


async def test_an_erasure_leaves_no_context_and_no_reply(open_work: OpenWork, engine: AsyncEngine) -> None:
    await add(open_work, a_notification("n-1"), a_notification("n-2"))
    (attempt, _) = await begin(open_work)
    await record(open_work, attempt, FAILED)
    await erase_account(open_work)
    async with engine.connect() as connection:
        contexts = await connection.scalars(text("SELECT DISTINCT context::text FROM notifications"))
        details = await connection.scalars(text("SELECT DISTINCT detail FROM attempts"))
    assert (list(contexts), list(details)) == (["{}"], [None])
