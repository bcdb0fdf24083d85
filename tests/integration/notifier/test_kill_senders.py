"""`kill -9` of senders about every second while messages go out: every one reaches its receiver once, and nobody is written to
against a cap, in quiet hours, or after they unsubscribed.

CSM_KILL_REQUESTS says how many there are, CSM_KILL_EVERY_S how often a sender is killed, CSM_KILL_RATE how fast the clock runs,
CSM_KILL_MINUTES how long of its time it all lasts. Senders are real processes; the mail server and the endpoint are real servers.
Receivers know a repeat by its Message-ID or webhook-id, so what counts is the first arrival of each.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.smtp import MailServer
from tests.support.clock import START
from tests.support.fast_clock import FastClock
from tests.support.notifier_worker import LEASE, POLICY, Orders, person_of, work
from tests.support.postgres import PostgresServer
from tests.support.waiting import eventually, let_pass
from tests.support.webhook_sink import SECRET, Sink, running_sink
from tests.unit.notifier.builders import a_notification, an_entry

from csm_common.database.migrations import migrate
from notifier.adapters.work import work_on
from notifier.app import MIGRATIONS, SCHEMA
from notifier.application.handlers.suppressing import obeyed, unsubscribe
from notifier.application.ports import OpenWork
from notifier.application.responses import Claims
from notifier.domain.notification import Notification, Status, Wanted

log = logging.getLogger(__name__)

REQUESTS = int(os.environ.get("CSM_KILL_REQUESTS", "400"))
EVERY_S = float(os.environ.get("CSM_KILL_EVERY_S", "1"))
RATE = float(os.environ.get("CSM_KILL_RATE", "120"))
MINUTES = float(os.environ.get("CSM_KILL_MINUTES", "60"))
WORKERS = 3
PERSONS = max(REQUESTS // 20, 10)
ACCOUNTS = max(REQUESTS // 40, 5)
ENDS_AT = START + timedelta(minutes=MINUTES)
PATIENCE = timedelta(seconds=30)
"""Of the machine's clock: how long an answer to who unsubscribes may take on a busy machine."""


@dataclass
class Post:
    """What arrived, and when by the clock of all."""

    clock: FastClock
    mails: dict[str, datetime] = field(default_factory=dict)
    repeats: int = 0

    def take(self, mail: EmailMessage) -> None:
        """The first arrival of each counts."""
        id_ = str(mail["X-CSM-Notification"])
        self.repeats += id_ in self.mails
        self.mails.setdefault(id_, self.clock.now())


class Mailbox(MailServer):
    """A mail server that notes arrivals."""

    def __init__(self, post: Post) -> None:
        super().__init__()
        self._post = post

    def kept(self, mail: EmailMessage) -> None:
        """One more."""
        self._post.take(mail)


@dataclass(frozen=True, slots=True)
class Scene:
    """The database, the clock of all, and where messages arrive."""

    engine: AsyncEngine
    open_work: OpenWork
    clock: FastClock
    post: Post
    sink: Sink
    orders: Orders


@pytest.fixture
async def scene(postgres: PostgresServer) -> AsyncIterator[Scene]:
    async with postgres.database() as database, database.engine(SCHEMA) as engine:
        await migrate(engine, schema=SCHEMA, scripts=MIGRATIONS)
        clock = FastClock(time.time(), RATE)
        post = Post(clock)
        with running_sink() as sink:
            async with Mailbox(post).listening() as server:
                orders = Orders(
                    database.dsn(SCHEMA), sink.url, SECRET, server.port, clock.begun_s, clock.rate
                )
                yield Scene(engine, work_on(engine), clock, post, sink, orders)


# ---- what is asked for


def asked(number: int, now: datetime) -> Notification:
    """By turns: an internal message to the endpoint, a mail that must go, and two tips, which the policy may keep back."""
    person = number % PERSONS
    account = f"account-{person % ACCOUNTS}"
    to_person = a_notification(
        f"n-{number}",
        account_id=account,
        run_id=f"run-{number}",
        recipients=(Wanted("contact", f"c-{person}"),),
        requested_at=now,
        context={"account": {"name": account}},
    )
    kind = (number // PERSONS) % 4
    if kind == 0:
        return replace(to_person, channel="webhook", recipients=(Wanted("endpoint", "crm"),))
    if kind == 1:
        return replace(to_person, message_class="transactional", category="billing")
    return replace(
        to_person,
        message_class="marketing",
        category="tips",
        priority=random.Random(number).choice((0, 0, 60)),  # noqa: S311  (no secret)
        if_held="later" if kind == 2 else "drop",
        expires_at=ENDS_AT,
    )


def person_email(person: int) -> str:
    return f"p{person}@acme.example"


async def know_all(scene: Scene) -> None:
    """Half of them live by the clock of the policy's quiet hours, half far away."""
    entries = [
        an_entry(
            f"c-{person}",
            account_id=f"account-{person % ACCOUNTS}",
            email=person_email(person),
            timezone="UTC" if person % 2 == 0 else "Asia/Tokyo",
        )
        for person in range(PERSONS)
    ]
    async with scene.open_work() as work:
        await work.directory.record(entries)


async def ask_all(scene: Scene, over: asyncio.Event) -> None:
    """In waves, over the first third of the time."""
    waves = 20
    for wave in range(waves):
        now = scene.clock.now()
        numbers = range(wave * REQUESTS // waves, (wave + 1) * REQUESTS // waves)
        async with scene.open_work() as work:
            await work.notifications.add([asked(number, now) for number in numbers], now)
        if over.is_set():
            return
        await let_pass(MINUTES * 60 / RATE / 3 / waves)


# ---- those who kill, and those who have had enough


@dataclass(frozen=True, slots=True)
class Worker:
    """A process, and the pipe on which it says that it has begun."""

    process: BaseProcess
    ready: Connection

    def kill(self) -> None:
        """No last words."""
        self.process.kill()
        self.process.join()
        self.ready.close()


class Workers:
    """So many processes at any time."""

    def __init__(self, orders: Orders) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.support.notifier_worker"])
        self._orders = orders
        self._chance = random.Random(7)  # noqa: S311  (a reproducible order, no secret)
        self.kills = 0
        self._running = [self._started() for _ in range(WORKERS)]

    async def storm(self, over: asyncio.Event) -> None:
        """One that has begun to work dies every so often."""
        while not await ends(over, EVERY_S * self._chance.uniform(0.5, 1.5)):
            working = [each for each in self._running if each.ready.poll()]
            if working:
                victim = self._running.index(self._chance.choice(working))
                self._running[victim].kill()
                self._running[victim] = self._started()
                self.kills += 1

    def end(self) -> None:
        """No process is left."""
        for each in self._running:
            each.kill()

    def _started(self) -> Worker:
        ready, tell = self._context.Pipe(duplex=False)
        orders = msgspec.json.encode(replace(self._orders, owner=f"sender-{self.kills}-{random.random()}"))  # noqa: S311
        process = self._context.Process(target=work, args=(orders, tell), daemon=True)
        process.start()
        tell.close()
        return Worker(process, ready)


async def ends(over: asyncio.Event, within_s: float) -> bool:
    """Whether it is over by then."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), within_s)
    return over.is_set()


async def unsubscribe_some(scene: Scene, over: asyncio.Event) -> Mapping[int, datetime]:
    """Every fifth person has had enough at some time: when they were told that it is obeyed."""
    obeyed_at: dict[int, datetime] = {}
    tired = list(range(0, PERSONS, 5))
    for person in tired:
        if over.is_set():
            break
        await let_pass(MINUTES * 60 / RATE / 2 / len(tired))
        who = person_of(person_email(person))
        claims = Claims(notification_id=f"n-{person}", contact_id=f"c-{person}", person=who, category="tips")
        async with scene.open_work() as work:
            await unsubscribe(work, claims, scene.clock.now())
        if await obeyed(scene.open_work, who, scene.clock, PATIENCE):
            obeyed_at[person] = scene.clock.now()
    return obeyed_at


# ---- what must have come of it


async def unfinished(scene: Scene) -> int:
    async with scene.engine.connect() as connection:
        return int(
            await connection.scalar(text("SELECT count(*) FROM notifications WHERE wake_at IS NOT NULL")) or 0
        )


async def statuses(scene: Scene) -> dict[str, str]:
    async with scene.engine.connect() as connection:
        rows = await connection.execute(text("SELECT id, status FROM notifications"))
        return {row.id: row.status for row in rows}


def crowded(moments: Sequence[datetime], limit: int, within: timedelta) -> list[datetime]:
    """Where more than `limit` are in one window."""
    ordered = sorted(moments)
    return [late for early, late in zip(ordered, ordered[limit:], strict=False) if late - early < within]


async def counted(scene: Scene) -> list[tuple[str, str, datetime]]:
    """Account, person and instant of what the policy has let go."""
    query = "SELECT account_id, person, at FROM contacted WHERE message_class = 'marketing'"
    async with scene.engine.connect() as connection:
        return [(row.account_id, row.person, row.at) for row in await connection.execute(text(query))]


def by(keys: Sequence[tuple[str, datetime]]) -> Mapping[str, list[datetime]]:
    found: dict[str, list[datetime]] = defaultdict(list)
    for key, at in keys:
        found[key].append(at)
    return found


async def test_every_message_goes_once_and_nobody_is_bothered(scene: Scene) -> None:
    await know_all(scene)
    over = asyncio.Event()
    workers = Workers(scene.orders)
    tasks: list[asyncio.Task[object]] = [
        asyncio.create_task(workers.storm(over)),
        asyncio.create_task(ask_all(scene, over)),
        asyncio.create_task(unsubscribe_some(scene, over)),
    ]

    async def finished() -> bool:
        for each in tasks:
            if each.done():
                each.result()  # or nobody would hear what ended it
        return tasks[1].done() and tasks[2].done() and await unfinished(scene) == 0

    try:
        await eventually(finished, 120 + MINUTES * 60 / RATE + REQUESTS / 20, what="all messages have ended")
    finally:
        over.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        workers.end()
    tired = tasks[2].result()
    assert isinstance(tired, dict)
    await check(scene, tired)
    log.info(
        "%d requests, %d kills, %d mails (%d repeated), %d calls (%d repeated), %d unsubscribed",
        REQUESTS,
        workers.kills,
        len(scene.post.mails),
        scene.post.repeats,
        len(set(scene.sink.message_ids)),
        len(scene.sink.message_ids) - len(set(scene.sink.message_ids)),
        len(tired),
    )


async def check(scene: Scene, tired: Mapping[int, datetime]) -> None:
    """Compare what arrived with what was asked for and with the policy."""
    all_of = {f"n-{number}": asked(number, START) for number in range(REQUESTS)}
    ended, mails = await statuses(scene), scene.post.mails
    calls = {id_ for id_, each in all_of.items() if each.channel == "webhook"}
    assert set(scene.sink.message_ids) == calls
    must = {id_ for id_, each in all_of.items() if each.message_class == "transactional"}
    assert must <= mails.keys()
    assert {ended[each] for each in calls | must} == {Status.SENT}
    tips = {id_ for id_, each in all_of.items() if each.message_class == "marketing"}
    assert {ended[each] for each in tips} <= {"sent", "capped", "dropped", "expired", "suppressed"}
    assert {each for each in tips if ended[each] == "sent"} <= mails.keys()
    arrived = {id_: at for id_, at in mails.items() if id_ in tips}
    assert set(mails) == must | set(arrived)
    assert arrived
    quiet = POLICY.quiet_hours
    assert quiet is not None
    for id_, at in arrived.items():
        person = int(id_[2:]) % PERSONS
        assert person % 2 or not quiet.begin <= at.time() < quiet.end, f"{id_} came in quiet hours, at {at}"
        assert person not in tired or at <= tired[person], f"{id_} came after {person} had unsubscribed"
    await check_caps(scene, arrived, all_of)


async def check_caps(
    scene: Scene, arrived: Mapping[str, datetime], all_of: Mapping[str, Notification]
) -> None:
    """By what the policy remembers, and by arrivals. A lease may lie between a decision and its message, and what a dead sender
    had in hand counts from the end of its lease, though it may have come before."""
    let_go = await counted(scene)
    per = {
        "person": (
            by([(person, at) for _, person, at in let_go]),
            by([(str(int(id_[2:]) % PERSONS), at) for id_, at in arrived.items()]),
        ),
        "account": (
            by([(account, at) for account, _, at in let_go]),
            by([(all_of[id_].account_id, at) for id_, at in arrived.items()]),
        ),
    }
    for cap in POLICY.caps:
        for times in per[cap.per]:
            within = cap.within - LEASE
            assert not {key: found for key, at in times.items() if (found := crowded(at, cap.limit, within))}
