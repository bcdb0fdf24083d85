"""What a unit of work must do, whatever it keeps its rows in. Subclasses give it as the fixture `open_work`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.support.clock import START
from tests.unit.notifier.builders import RECIPIENT, a_notification, an_entry

from notifier.application.ports import Claimed, DirectoryEntry, Erased, OpenWork
from notifier.application.views import DecisionView, NotificationDetail
from notifier.domain.delivery import Verdict
from notifier.domain.notification import Notification, Status, Wanted
from notifier.domain.recipients import Contact, Decision

LEASE = timedelta(minutes=2)
SOON = START + timedelta(seconds=1)
SENT = Verdict(status=Status.SENT, outcome="accepted", detail="Kept", code=250)
FAILED = Verdict(status=Status.FAILED, outcome="refused", reason="no such user", detail="no user", code=550)
HELD = Verdict(status=Status.RETRY, outcome="held", reason="nobody yet", wake_at=START)
LATER = START + timedelta(minutes=10)
DECISION = Decision(RECIPIENT, "owner: the account names contact kim as its owner")


async def add(open_work: OpenWork, *notifications: Notification, now: datetime = START) -> None:
    async with open_work() as work:
        await work.notifications.add(notifications, now)


async def claim(open_work: OpenWork, now: datetime = START, limit: int = 10) -> Sequence[Claimed]:
    async with open_work() as work:
        return await work.notifications.claim("sender-1", now, now + LEASE, limit)


async def record(
    open_work: OpenWork,
    claimed: Claimed,
    verdict: Verdict,
    decision: Decision | None = DECISION,
    now: datetime = SOON,
) -> bool:
    async with open_work() as work:
        return await work.notifications.record(claimed, decision, verdict, now)


async def detail(open_work: OpenWork, notification_id: str = "n-1") -> NotificationDetail:
    async with open_work() as work:
        found = await work.notifications.detail(notification_id)
    assert found is not None
    return found


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


class WorkContract:
    """Inherit as `TestSomething(WorkContract)`."""

    # ---- the transaction

    async def test_nothing_lasts_of_a_block_that_fails(self, open_work: OpenWork) -> None:
        with pytest.raises(RuntimeError, match="no commit"):
            await fail_half_way(open_work)
        assert await claim(open_work) == []
        assert await contacts(open_work) == ()

    # ---- notifications

    async def test_a_claim_gives_back_what_was_added(self, open_work: OpenWork) -> None:
        notification = a_notification(expires_at=START + timedelta(days=1), traceparent="00-1-2-01")
        await add(open_work, notification)
        assert await claim(open_work) == [Claimed(notification, 1, START + LEASE, START)]

    async def test_a_request_that_comes_again_changes_nothing(self, open_work: OpenWork) -> None:
        await add(open_work, a_notification())
        (claimed,) = await claim(open_work)
        await record(open_work, claimed, SENT)
        await add(open_work, a_notification(category="other"), a_notification(category="other"))
        found = await detail(open_work)
        assert (found.status, found.category) == (Status.SENT, "health")
        assert await claim(open_work) == []

    async def test_the_longest_due_are_claimed_first_and_no_more_than_asked_for(
        self, open_work: OpenWork
    ) -> None:
        for minute, name in ((2, "c"), (0, "a"), (1, "b")):
            await add(open_work, a_notification(name), now=START + timedelta(minutes=minute))
        later = START + timedelta(minutes=3)
        assert {each.notification.id for each in await claim(open_work, later, limit=2)} == {"a", "b"}
        assert [each.notification.id for each in await claim(open_work, later, limit=2)] == ["c"]

    async def test_what_is_claimed_is_nobody_elses_until_the_lease_ends(self, open_work: OpenWork) -> None:
        await add(open_work, a_notification())
        assert len(await claim(open_work)) == 1
        assert await claim(open_work, START + LEASE - timedelta(milliseconds=1)) == []
        (again,) = await claim(open_work, START + LEASE)
        assert (again.attempt, again.interrupted) == (2, True)

    async def test_an_attempt_that_never_ended_becomes_unknown(self, open_work: OpenWork) -> None:
        await add(open_work, a_notification())
        await claim(open_work)
        await claim(open_work, START + LEASE)
        lost, present = (await detail(open_work)).attempts
        assert (lost.number, lost.outcome, lost.ended_at) == (1, "unknown", START + LEASE)
        assert (present.number, present.outcome, present.ended_at) == (2, None, None)

    async def test_an_outcome_is_final_and_kept_with_its_reasons(self, open_work: OpenWork) -> None:
        await add(open_work, a_notification())
        (claimed,) = await claim(open_work)
        assert (await detail(open_work)).status is Status.SENDING
        assert await record(open_work, claimed, SENT)
        found = await detail(open_work)
        assert (found.status, found.finished_at, found.attempt_count) == (Status.SENT, SOON, 1)
        assert found.decision == DecisionView(kind="contact", contact_id="kim", why=DECISION.why)
        (attempt,) = found.attempts
        assert (attempt.started_at, attempt.ended_at) == (START, SOON)
        assert (attempt.outcome, attempt.code, attempt.detail) == ("accepted", 250, "Kept")
        assert await claim(open_work, START + timedelta(days=365)) == []

    async def test_a_retry_comes_back_at_its_time_and_is_no_interruption(self, open_work: OpenWork) -> None:
        await add(open_work, a_notification())
        (claimed,) = await claim(open_work)
        wake_at = START + timedelta(seconds=30)
        await record(
            open_work,
            claimed,
            Verdict(status=Status.RETRY, outcome="deferred", reason="busy", wake_at=wake_at),
        )
        found = await detail(open_work)
        assert (found.status, found.reason, found.next_attempt_at) == (Status.RETRY, "busy", wake_at)
        assert found.finished_at is None
        assert await claim(open_work, wake_at - timedelta(milliseconds=1)) == []
        (again,) = await claim(open_work, wake_at)
        assert (again.attempt, again.interrupted) == (2, False)

    async def test_holds_count_as_attempts_but_not_as_tries(self, open_work: OpenWork) -> None:
        await add(open_work, a_notification())
        for _ in range(2):
            (claimed,) = await claim(open_work)
            assert claimed.tries == 1
            await record(open_work, claimed, HELD, decision=Decision(None, "nobody yet"))
        found = await detail(open_work)
        assert (found.status, found.reason) == (Status.RETRY, "nobody yet")
        assert [each.outcome for each in found.attempts] == ["held", "held"]
        (claimed,) = await claim(open_work, START + timedelta(minutes=1))
        assert (claimed.attempt, claimed.held, claimed.received_at) == (3, 2, START)

    async def test_a_record_of_an_attempt_that_was_taken_over_changes_nothing(
        self, open_work: OpenWork
    ) -> None:
        await add(open_work, a_notification())
        (late,) = await claim(open_work)
        (present,) = await claim(open_work, START + LEASE)
        assert not await record(open_work, late, Verdict(status=Status.FAILED, outcome="refused"))
        found = await detail(open_work)
        assert (found.status, found.decision) == (Status.SENDING, None)
        assert await record(open_work, present, SENT)

    async def test_an_attempt_is_recorded_once(self, open_work: OpenWork) -> None:
        await add(open_work, a_notification())
        (claimed,) = await claim(open_work)
        assert await record(open_work, claimed, SENT)
        assert not await record(open_work, claimed, Verdict(status=Status.FAILED, outcome="refused"))
        assert (await detail(open_work)).status is Status.SENT

    async def test_a_record_without_a_decision_keeps_the_former_one(self, open_work: OpenWork) -> None:
        await add(open_work, a_notification())
        (claimed,) = await claim(open_work)
        await record(open_work, claimed, Verdict(status=Status.RETRY, outcome="deferred", wake_at=START))
        (again,) = await claim(open_work)
        await record(open_work, again, Verdict(status=Status.EXPIRED, outcome="skipped"), decision=None)
        found = (await detail(open_work)).decision
        assert found is not None
        assert found.contact_id == "kim"

    async def test_a_decision_for_nobody_is_kept_too(self, open_work: OpenWork) -> None:
        await add(open_work, a_notification())
        (claimed,) = await claim(open_work)
        await record(
            open_work,
            claimed,
            Verdict(status=Status.UNDELIVERABLE, outcome="skipped", reason="nobody"),
            Decision(None, "nobody"),
        )
        found = await detail(open_work)
        assert found.decision == DecisionView(kind=None, contact_id=None, why="nobody")

    # ---- for readers

    async def test_pages_are_newest_first_and_follow_one_another(self, open_work: OpenWork) -> None:
        notifications = [
            a_notification(f"n-{number}", requested_at=START + timedelta(minutes=number // 2))
            for number in range(5)
        ]
        await add(open_work, *notifications)
        async with open_work() as work:
            first = await work.notifications.page(None, None, None, 3)
            rest = await work.notifications.page(None, None, (first[-1].requested_at, first[-1].id), 3)
        assert [each.id for each in [*first, *rest]] == ["n-4", "n-3", "n-2", "n-1", "n-0"]

    async def test_pages_can_be_of_one_account_or_one_status(self, open_work: OpenWork) -> None:
        await add(open_work, a_notification("a"), a_notification("b", account_id="globex"))
        (one, _) = await claim(open_work)
        await record(open_work, one, SENT)
        async with open_work() as work:
            of_globex = await work.notifications.page("globex", None, None, 10)
            sent = await work.notifications.page(None, Status.SENT, None, 10)
            neither = await work.notifications.page("initech", Status.SENT, None, 10)
        assert [each.id for each in of_globex] == ["b"]
        assert [each.id for each in sent] == [one.notification.id]
        assert neither == []

    async def test_a_detail_tells_what_was_asked_for_and_why(self, open_work: OpenWork) -> None:
        notification = a_notification()
        await add(open_work, notification)
        found = await detail(open_work)
        assert found.wanted == notification.recipients
        assert found.chain == notification.chain
        assert (found.status, found.next_attempt_at, found.decision) == (Status.PENDING, START, None)
        async with open_work() as work:
            assert await work.notifications.detail("unheard-of") is None

    # ---- the directory

    async def test_a_newer_entry_replaces_the_fields_it_has(self, open_work: OpenWork) -> None:
        await put(open_work, an_entry(name="Kim", email="old@vendor.example", role="owner"))
        await put(open_work, an_entry(at=SOON, email="new@vendor.example"))
        assert await contacts(open_work) == [
            Contact(contact_id="kim", name="Kim", email="new@vendor.example", role="owner")
        ]

    async def test_an_older_entry_only_fills_what_is_unknown(self, open_work: OpenWork) -> None:
        await put(open_work, an_entry(at=SOON, email="new@vendor.example"))
        await put(open_work, an_entry(name="Kim", email="old@vendor.example"))
        await put(open_work, an_entry(at=START + timedelta(milliseconds=500), email="middle@vendor.example"))
        (found,) = await contacts(open_work)
        assert (found.email, found.name) == ("new@vendor.example", "Kim")

    async def test_of_two_entries_of_one_moment_the_later_one_counts(self, open_work: OpenWork) -> None:
        first = an_entry(email="first@vendor.example")
        await put(open_work, first, an_entry(email="second@vendor.example"))
        (found,) = await contacts(open_work)
        assert found.email == "second@vendor.example"

    async def test_who_is_called_inactive_is_inactive(self, open_work: OpenWork) -> None:
        await put(open_work, an_entry("kim", active=False), an_entry("lee", active=True), an_entry("max"))
        assert {each.contact_id: each.active for each in await contacts(open_work)} == {
            "kim": False,
            "lee": True,
            "max": True,
        }

    async def test_contacts_belong_to_their_account(self, open_work: OpenWork) -> None:
        await put(
            open_work, an_entry("kim", name="Kim"), an_entry("kim", account_id="globex", name="Other Kim")
        )
        async with open_work() as work:
            found = await work.directory.of_accounts({"acme", "globex", "initech"})
        assert {account: [each.name for each in people] for account, people in found.items()} == {
            "acme": ["Kim"],
            "globex": ["Other Kim"],
        }

    async def test_an_erased_contact_is_gone_until_it_is_told_anew(self, open_work: OpenWork) -> None:
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
        self, open_work: OpenWork
    ) -> None:
        await put(open_work, an_entry(), an_entry("lee"), an_entry(account_id="other"))
        await add(open_work, a_notification("sent"))
        (claimed,) = await claim(open_work)
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
        assert [each.notification.id for each in await claim(open_work, LATER)] == ["others"]

    async def test_erasing_again_changes_nothing(self, open_work: OpenWork) -> None:
        await put(open_work, an_entry())
        await add(open_work, a_notification())
        await erase_account(open_work)
        assert await erase_account(open_work) == Erased(0, 0, 0, [])

    async def test_what_came_after_the_erasure_is_left_alone(self, open_work: OpenWork) -> None:
        late = LATER + timedelta(seconds=1)
        await put(open_work, an_entry(at=late))
        await add(open_work, a_notification(requested_at=late))
        assert await erase_account(open_work) == Erased(0, 0, 0, [])
        assert len(await contacts(open_work)) == 1
        assert len(await claim(open_work, late)) == 1

    async def test_it_is_known_when_an_account_was_erased_last(self, open_work: OpenWork) -> None:
        for at in (LATER, SOON):
            async with open_work() as work:
                await work.erasures.of_accounts({"acme": at})
        async with open_work() as work:
            assert await work.erasures.erased_at({"acme", "other"}) == {"acme": LATER}

    async def test_a_message_that_is_being_sent_is_cancelled_and_its_outcome_is_nobody_s(
        self, open_work: OpenWork
    ) -> None:
        await add(open_work, a_notification())
        (claimed,) = await claim(open_work)
        await erase_account(open_work)
        assert not await record(open_work, claimed, SENT)
        assert (await detail(open_work)).status is Status.CANCELLED

    async def test_of_an_erased_contact_what_was_for_them_alone_is_cancelled(
        self, open_work: OpenWork
    ) -> None:
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
        waiting = await claim(open_work, LATER)
        assert {each.notification.id for each in waiting} == {"kim-or-lee", "owner"}
        assert all(each.notification.context for each in waiting)

    async def test_what_was_said_to_an_erased_contact_is_forgotten(self, open_work: OpenWork) -> None:
        await add(open_work, a_notification("kim"), a_notification("nobody"))
        to_kim, to_nobody = await claim(open_work)
        await record(open_work, to_kim, FAILED)
        await record(open_work, to_nobody, FAILED, decision=None)
        erased = await erase_contact(open_work, "kim")
        assert (erased.contacts, erased.notifications, erased.attempts) == (0, 1, 1)
        assert await erase_contact(open_work, "kim") == Erased(0, 0, 0, [])
        found = await detail(open_work, to_kim.notification.id)
        assert (found.status, found.reason) == (Status.FAILED, "erased")
        untouched = await detail(open_work, to_nobody.notification.id)
        assert (untouched.reason, untouched.attempts[0].detail) == (FAILED.reason, FAILED.detail)
