"""Several replicas on one PostgreSQL, all at once: each message is in one account, nothing waits that has one, nobody dies."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from tests.support.clock import ManualClock
from tests.unit.ingest.door import event
from tests.unit.ingest.fakes import MemoryBrokers
from tests.unit.ingest.imports.fakes import MemoryJobs
from tests.unit.ingest.intake.test_odd_texts import ODD
from tests.unit.ingest.intake.test_odd_texts import calls as calls_with
from tests.unit.ingest.memory_archive import MemoryArchive
from tests.unit.ingest.sdk.samples import call

from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.errors import TransientError
from ingest.adapters.configuration import Configuration
from ingest.adapters.postgres.store import PostgresStore
from ingest.application.handlers import Handlers
from ingest.application.incoming import Received
from ingest.application.outcome import Outcome
from ingest.application.replays import Selection
from ingest.application.sources import SourceTally
from ingest.assembly import Parts, create_handlers
from ingest.settings import DoorSettings

REPLICAS = 3
PEOPLE = [f"u-{number}" for number in range(12)]
NOTHING: dict[str, str] = {}
Call = dict[str, Any]


@dataclass
class Replicas:
    """Processes over the same tables and brokers. `retries` are the errors after which something was sent again."""

    handlers: Sequence[Handlers]
    clock: ManualClock
    brokers: MemoryBrokers
    tables: AsyncEngine
    random: Random = field(default_factory=lambda: Random(7))  # noqa: S311  # of orders, not of secrets
    retries: list[TransientError] = field(default_factory=list)

    async def send(self, *calls: Call, shared: dict[str, str] = NOTHING) -> list[Outcome]:
        """Send to any replica, again until it is answered, as every SDK does."""
        at = self.clock.now()
        bodies = [json.dumps(each).encode() for each in calls]
        received = [
            Received(format="segment", source="sdk/app", body=each, at=at, context=shared) for each in bodies
        ]
        while True:
            try:
                return await self.any().intake.take(received)
            except TransientError as error:
                self.retries.append(error)

    def any(self) -> Handlers:
        """One of the replicas."""
        return self.random.choice(self.handlers)

    async def at_once(self, work: Sequence[Awaitable[Any]]) -> None:
        """All of it, in a random order."""
        shuffled = list(work)
        self.random.shuffle(shuffled)
        await asyncio.gather(*shuffled)

    async def accounts(self) -> dict[str, set[str]]:
        """By the ids of facts the accounts they are in, on the log or on their way to it."""
        topic = CUSTOMER_EVENTS.name
        waiting = await self.rows("SELECT value FROM outbox WHERE topic = :topic", topic=topic)
        values = [each.value or b"" for each in self.brokers.logs[topic]] + [row.value for row in waiting]
        found: dict[str, set[str]] = defaultdict(set)
        for fact in map(json.loads, values):
            found[fact["id"]].add(fact["subject"])
        return found

    async def waiting(self) -> list[str]:
        """Messages that still wait for their account."""
        statement = "SELECT message_id FROM rejections WHERE person IS NOT NULL AND replayed_at IS NULL"
        return [row.message_id for row in await self.rows(statement)]

    async def rows(self, statement: str, **values: object) -> Sequence[Any]:
        """What a statement finds."""
        async with self.tables.connect() as connection:
            return (await connection.execute(text(statement), values)).all()


@pytest.fixture
async def replicas(engine: AsyncEngine) -> AsyncIterator[Replicas]:
    clock, brokers = ManualClock(), MemoryBrokers()
    settings = {"server_settings": {"search_path": "ingest"}}
    async with AsyncExitStack() as stack:
        handlers = []
        for _ in range(REPLICAS):
            own = create_async_engine(engine.url, pool_size=6, max_overflow=0, connect_args=settings)
            stack.push_async_callback(own.dispose)
            parts = Parts(
                store=PostgresStore(own), jobs=MemoryJobs(), archive=MemoryArchive(), publisher=brokers, clock=clock,
                tally=SourceTally(), connections={}, environment={},
            )  # fmt: skip
            handlers.append(create_handlers(DoorSettings(), Configuration(), parts))
        yield Replicas(handlers, clock, brokers, engine)


def track(key: str, user: str, **told: Any) -> Call:
    """Somebody did something."""
    return call(messageId=key, userId=user, **told)


def group(user: str, account: str = "acme", key: str = "") -> Call:
    """Somebody is in an account."""
    return call("group", messageId=key or f"group-{user}", userId=user, groupId=account)


def login(user: str, cookie: str) -> Call:
    """Somebody has a cookie."""
    key, traits = f"login-{user}-{cookie}", {"email": f"{user}@acme.example"}
    return call("identify", messageId=key, userId=user, anonymousId=cookie, traits=traits)


def alias(new: str, old: str) -> Call:
    """Two names are one person."""
    return call("alias", messageId=f"alias-{new}-{old}", userId=new, previousId=old)


async def test_what_comes_beside_the_group_of_its_user_does_not_stay_behind(replicas: Replicas) -> None:
    tracks = [track(f"{user}-{number}", user) for user in PEOPLE for number in range(6)]
    batches = [replicas.send(*tracks[start::9]) for start in range(9)]
    singles = [replicas.send(each) for each in tracks[::2]]

    await replicas.at_once([*batches, *singles, *(replicas.send(group(user)) for user in PEOPLE)])

    assert await replicas.waiting() == []
    accounts = await replicas.accounts()
    assert set(accounts) == {each["messageId"] for each in tracks} | {f"group-{user}" for user in PEOPLE}
    assert all(found == {"acme"} for found in accounts.values())
    assert replicas.retries == []


async def test_who_moves_meanwhile_has_every_message_in_one_of_the_accounts(replicas: Replicas) -> None:
    tracks = [track(f"{user}-{number}", user) for user in PEOPLE for number in range(4)]
    moves = [group(user, account, f"{account}-{user}") for user in PEOPLE for account in ("acme", "globex")]

    await replicas.at_once([replicas.send(each) for each in [*tracks, *tracks, *moves]])

    assert await replicas.waiting() == []
    accounts = await replicas.accounts()
    assert len(accounts) == len(tracks) + len(moves)
    assert all(len(found) == 1 for found in accounts.values())
    assert replicas.retries == []


async def test_the_same_batch_delivered_twice_at_once_is_decided_once(replicas: Replicas) -> None:
    batch = [each for user in PEOPLE for each in (track(f"t-{user}", user), group(user, f"of-{user}"))]
    replicas.random.shuffle(batch)

    await replicas.at_once([replicas.send(*batch) for _ in range(6)])

    assert await replicas.waiting() == []
    assert await replicas.accounts() == {
        key: {f"of-{user}"} for user in PEOPLE for key in (f"t-{user}", f"group-{user}")
    }
    assert replicas.retries == []


async def test_names_that_are_joined_meanwhile_lose_nothing(replicas: Replicas) -> None:
    cookies = {user: f"c-{user}" for user in PEOPLE}
    pairs = list(zip(PEOPLE[::2], PEOPLE[1::2], strict=True))
    calls = [call(messageId=f"early-{each}", userId=None, anonymousId=each) for each in cookies.values()]
    calls += [track(f"t-{user}", user) for user in PEOPLE]
    calls += [track(f"both-{user}", user, anonymousId=cookie) for user, cookie in cookies.items()]
    calls += [login(user, cookie) for user, cookie in cookies.items()]
    calls += [alias(new, old) for new, old in pairs]
    calls += [group(new, f"of-{new}") for new, _ in pairs]

    await replicas.at_once([replicas.send(each) for each in [*calls, *calls[::3]]])

    assert await replicas.waiting() == []
    accounts = await replicas.accounts()
    own = {name: f"of-{new}" for new, old in pairs for each in (new, old) for name in (each, cookies[each])}
    assert accounts == {
        each["messageId"]: {own[each["userId"] or each["anonymousId"]]}
        for each in calls
        if each["type"] != "alias"
    }
    known = await replicas.rows("SELECT contact_id FROM contacts")
    assert {row.contact_id for row in known} == {new for new, _ in pairs}
    assert replicas.retries == []


async def test_what_is_tried_again_beside_the_group_is_given_once(replicas: Replicas) -> None:
    await asyncio.gather(*(replicas.send(track(f"t-{user}", user)) for user in PEOPLE))
    replicas.clock.advance(timedelta(days=2))

    tries = [replicas.any().replay.run(Selection(), 100) for _ in range(6)]
    await replicas.at_once([*tries, *(replicas.send(group(user)) for user in PEOPLE)])

    assert await replicas.waiting() == []
    accounts = await replicas.accounts()
    assert accounts == {key: {"acme"} for user in PEOPLE for key in (f"t-{user}", f"group-{user}")}
    assert replicas.retries == []


async def test_contacts_told_of_on_all_doors_at_once_are_whole(replicas: Replicas) -> None:
    facts = [
        event(id=f"e-{user}-{field}", type="csm.contact.changed", subject="acme", data={"contact_id": user, field: f"{user}!"})
        for user in PEOPLE
        for field in ("role", "phone", "name")
    ]  # fmt: skip
    calls = [login(user, f"c-{user}") for user in PEOPLE] + [group(user) for user in PEOPLE]
    replicas.random.shuffle(calls)

    async def tell(events: Sequence[Call]) -> None:
        raw = [json.dumps(each).encode() for each in events]
        while True:
            try:
                await replicas.any().accept.batch(raw)
            except TransientError as error:
                replicas.retries.append(error)
            else:
                return

    telling = [tell(replicas.random.sample(facts, 12)) for _ in range(4)] + [tell(facts)]
    await replicas.at_once([*telling, *(replicas.send(*calls[start::4]) for start in range(4))])

    known = await replicas.rows("SELECT contact_id, details FROM contacts ORDER BY contact_id")
    assert {row.contact_id: sorted(row.details) for row in known} == {
        user: ["email", "name", "phone", "role"] for user in PEOPLE
    }
    assert replicas.retries == []


async def test_texts_that_no_database_keeps_break_nothing(replicas: Replicas) -> None:
    for odd in ODD:
        sent = calls_with(odd)
        shared = {"sent_at": odd, "context": json.dumps({"groupId": odd, odd: odd})}
        assert len(await replicas.send(*sent)) == len(sent)
        assert len(await replicas.send(*sent, shared=shared)) == len(sent)
    assert replicas.retries == []
