"""Dead letters on PostgreSQL: found by what they died of, sent anew under the same ids and not faster than asked for."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import Desk
from tests.support.clock import START
from tests.unit.notifier.builders import a_notification
from tests.unit.notifier.fakes import KEPT, ScriptedChannel

from csm_common.errors import InvalidError
from notifier.adapters.dead_letters import dead_letters_on
from notifier.application.dead_letters import DeadLetter, DeadLetterFilter, Replay, Replayed, Wanted
from notifier.application.handlers.dead_letters import replay
from notifier.application.ports import Manners
from notifier.domain.delivery import Answer
from notifier.domain.notification import Notification, Status
from notifier.domain.notification import Wanted as Recipient

REFUSED = Answer("refused", "550 no such user", 550)
BUSY = Answer("deferred", "451 try again later", 451)
LOST = Answer("unknown", "the connection broke")
HOW = Replay(actor="key:console", note="the mail server is back", per_second=2.0)
SECOND = timedelta(seconds=1)
NOBODY = (Recipient("role", "admin"),)


class Office(Desk):
    """A desk with somebody who looks after its dead letters."""

    async def dead(self, **wanted: object) -> list[DeadLetter]:
        """Those that a filter finds."""
        async with dead_letters_on(self.engine)() as dead:
            return list(await dead.page(DeadLetterFilter(**wanted), None, 50))  # type: ignore[arg-type]

    async def replay(self, *ids: str, how: Replay = HOW, **wanted: object) -> Replayed:
        """Those with these ids, or all that a filter finds."""
        which = Wanted(ids=ids) if ids else Wanted(filter=DeadLetterFilter(**wanted))  # type: ignore[arg-type]
        async with dead_letters_on(self.engine)() as dead:
            return await replay(dead, which, how, self.clock.now())


async def an_office(engine: AsyncEngine, *asked: Notification, answer: Answer = REFUSED) -> Office:
    """After a round in which every message was answered so."""
    office = Office(engine, ScriptedChannel([answer]))
    await office.take_in(*(asked or (a_notification(),)))
    await office.round()
    return office


async def test_a_dead_letter_says_what_it_died_of(engine: AsyncEngine) -> None:
    office = await an_office(engine, a_notification(), a_notification("n-2", recipients=NOBODY))
    refused, nobody = sorted(await office.dead(), key=lambda each: each.id)
    assert (refused.code, refused.status, refused.answer, refused.attempts) == ("refused", "failed", 550, 1)
    assert (nobody.code, nobody.status, nobody.answer, nobody.attempts) == (
        "no_recipient",
        "undeliverable",
        None,
        0,
    )
    assert refused.reason == "refused for good: 550 no such user"


async def test_every_kind_of_death_has_its_code(engine: AsyncEngine) -> None:
    channel = ScriptedChannel([BUSY])
    office = Office(engine, channel)
    await office.take_in(
        a_notification("busy"),
        a_notification("broken", template="broken"),
        a_notification("away", channel="pager"),
    )
    await office.round()
    for _ in range(4):
        await office.later(minutes=10)
    channel.manners = Manners(at_once=100, repeatable=False)
    channel.answers = [LOST]
    await office.ask(a_notification("lost"))
    await office.round()
    found = {each.id: each.code for each in await office.dead()}
    assert found == {"busy": "given_up", "broken": "template", "away": "no_channel", "lost": "unknown"}
    async with dead_letters_on(engine)() as dead:
        counts = await dead.counts(DeadLetterFilter(channel="email"))
    assert sorted((each.code, each.dead_letters) for each in counts) == [
        ("given_up", 1),
        ("template", 1),
        ("unknown", 1),
    ]


@pytest.mark.parametrize(
    "wanted",
    [{"account_id": "globex"}, {"channel": "slack"}, {"playbook": "renewal"}, {"code": "given_up"}],
    ids=lambda wanted: next(iter(wanted)),
)
async def test_a_filter_leaves_others_alone(engine: AsyncEngine, wanted: dict[str, Any]) -> None:
    office = await an_office(engine)
    assert await office.dead(**wanted) == []
    assert (await office.replay(**wanted)).replayed == 0
    assert (await office.detail()).status is Status.FAILED


async def test_a_replay_sends_under_the_same_id_with_the_attempts_forgiven(engine: AsyncEngine) -> None:
    office = await an_office(engine, answer=BUSY)
    for _ in range(4):
        await office.later(minutes=10)
    before = await office.detail()
    assert (before.status, before.attempt_count) == (Status.FAILED, 4)
    office.channel.answers = [BUSY, KEPT]
    report = await office.replay("n-1")
    assert (report.replayed, report.first_at) == (1, office.clock.now())
    await office.round()
    assert (await office.detail()).status is Status.RETRY
    await office.later(minutes=10)
    after = await office.detail()
    assert (after.status, after.attempt_count) == (Status.SENT, 6)
    assert {each.begun.notification.id for each in office.channel.sent} == {"n-1"}


async def test_asking_twice_changes_nothing_more(engine: AsyncEngine) -> None:
    office = await an_office(engine)
    await office.replay("n-1")
    once = await office.detail()
    assert (await office.replay("n-1")).waiting == 1
    assert await office.detail() == once
    office.channel.answers = [KEPT]
    await office.round()
    report = await office.replay("n-1")
    assert [each.code for each in report.refused] == ["not_dead"]
    assert len(office.channel.sent) == 2


async def test_a_replay_says_in_the_row_who_wanted_it_and_why(engine: AsyncEngine) -> None:
    office = await an_office(engine)
    await office.replay("n-1")
    found = await office.detail()
    assert found.reason == "sent anew by key:console: the mail server is back"
    assert [(each.word, each.rule, each.reason) for each in found.policy][-1] == (
        "replay",
        "operator",
        "sent anew by key:console: the mail server is back",
    )


async def test_replays_go_one_after_another_and_after_those_that_wait(engine: AsyncEngine) -> None:
    asked = [a_notification(f"n-{n}", priority=n, requested_at=START + n * SECOND) for n in range(4)]
    office = await an_office(engine, *asked)
    first = await office.replay("n-0", "n-1")
    second = await office.replay()
    assert (first.replayed, second.replayed) == (2, 2)
    at = {each.id: (await office.detail(each.id)).next_attempt_at for each in asked}
    now = office.clock.now()
    assert at == {
        "n-0": now,
        "n-1": now + SECOND / 2,
        "n-3": now + SECOND,  # of a filter, the highest priority first
        "n-2": now + 1.5 * SECOND,
    }


async def test_an_expired_one_needs_a_new_expiry(engine: AsyncEngine) -> None:
    office = await an_office(engine, a_notification(expires_at=START + timedelta(hours=1)))
    office.clock.advance(timedelta(hours=2))
    assert [each.code for each in (await office.replay("n-1")).refused] == ["expired"]
    with pytest.raises(InvalidError, match="expires_at is past"):
        await office.replay("n-1", how=Replay(actor="a", note="b", expires_at=START))
    until = office.clock.now() + timedelta(days=1)
    assert (await office.replay("n-1", how=Replay(actor="a", note="b", expires_at=until))).replayed == 1
    office.channel.answers = [KEPT]
    await office.round()
    found = await office.detail()
    assert (found.status, found.expires_at) == (Status.SENT, until)


async def test_an_erased_one_stays_dead(engine: AsyncEngine) -> None:
    office = await an_office(engine)
    async with office.open_work() as work:
        await work.erasures.of_accounts({"acme": office.clock.now()})
    assert [each.code for each in await office.dead()] == ["erased"]
    assert [each.code for each in (await office.replay("n-1", "n-9")).refused] == ["unknown_id", "erased"]


async def test_nobody_is_written_to_whose_address_has_bounced_in_the_meantime(engine: AsyncEngine) -> None:
    office = await an_office(engine, answer=Answer("refused", "550 no such user", 550, bounced=True))
    office.channel.answers = [KEPT]
    await office.replay("n-1")
    await office.round()
    assert (await office.detail()).status is Status.SUPPRESSED
    assert len(office.channel.sent) == 1


async def test_a_limit_is_kept_and_told(engine: AsyncEngine) -> None:
    office = await an_office(engine, *[a_notification(f"n-{n}") for n in range(3)])
    async with dead_letters_on(engine)() as dead:
        report = await replay(dead, Wanted(limit=2), HOW, office.clock.now())
    assert (report.replayed, report.more) == (2, True)
    assert len(await office.dead()) == 1
