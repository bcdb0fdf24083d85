"""Erasure over all of ingest's tables on PostgreSQL: what goes, what stays, and that it goes with what is told of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import START, ManualClock
from tests.support.postgres import Database
from tests.support.waiting import eventually
from tests.unit.ingest.contacts_contract import change

import ingest
from csm_common.contracts.topics import CUSTOMER_CONTACTS, CUSTOMER_EVENTS
from csm_common.database import outbox
from csm_common.database.migrations import migrate
from ingest.adapters.postgres.contacts import PostgresContacts
from ingest.adapters.postgres.erasure import PostgresArchive
from ingest.adapters.postgres.rejections import PostgresRejections
from ingest.application.erase import Erase
from ingest.application.ports import Rejection

_NAMES = """
INSERT INTO names VALUES ('kim', 'kim', 'acme', now()), ('anonymous', 'kim', NULL, NULL), ('lee', 'lee', 'globex', now())
"""
_DECISIONS = """
INSERT INTO decisions
SELECT gen_random_uuid(), '', account, person, now()
FROM (VALUES ('acme', 'kim'), ('initech', 'anonymous'), ('globex', 'lee'), ('acme', NULL)) AS t(account, person)
"""
_VIOLATIONS = """
INSERT INTO violations VALUES ('s', 'n', '/user', 'type', 1, '"kim" is no number', now(), now()),
    ('s', 'n', '/other', 'type', 1, '"x" is no number', now(), now())
"""


def rejection(name: str, body: bytes, person: str | None = None, drafts: bytes | None = None) -> Rejection:
    """A message that was kept."""
    key = str(uuid5(NAMESPACE_OID, name))
    return Rejection(
        id=key,
        message_key=key,
        message_id=name,
        source="sdk/web",
        format="sdk",
        code="unknown_type",
        reason="There is no such fact.",
        body=body,
        context={},
        received_at=START,
        listed_from=START,
        digest=b"",
        person=person,
        drafts=drafts,
    )


REJECTIONS = [
    rejection("held", b"{}", person="anonymous", drafts=b"{}"),
    rejection("names-kim", b'{"userId":"kim"}'),
    rejection("drafts-kim", b"{}", drafts=b'{"data":{"user_id": "kim"}}'),
    rejection("no-json", b'\xff\x00 "kim"'),
    rejection("names-acme", b'{"context":{"groupId":"acme"}}'),
    rejection("kimono", b'{"userId":"kimono","text":"kim"-ish}'.replace(b'"kim"-ish', b'"kim was here"')),
    rejection("lee", b'{"userId":"lee"}', person="lee"),
]


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    """Tables with a person of acme who has two names, one of globex, and messages that were kept."""
    async with database.engine("ingest") as engine:
        await migrate(engine, schema="ingest", scripts=Path(ingest.__path__[0]) / "migrations")
        async with engine.begin() as tx:
            for statement in (_NAMES, _DECISIONS, _VIOLATIONS):
                await tx.execute(text(statement))
            await PostgresRejections(tx).add(REJECTIONS)
            told = [("kim", "acme"), ("kim", "initech"), ("anonymous", "acme"), ("lee", "globex")]
            await PostgresContacts(tx).merge(
                [change(START, name, account, name="N") for name, account in told]
            )
        yield engine


def erase_on(engine: AsyncEngine, at: datetime = START) -> Erase:
    """The use case."""
    return Erase(PostgresArchive(engine, patience_s=0.0), ManualClock(at))


async def column(engine: AsyncEngine, query: str) -> list[str]:
    """The one column of a query, sorted."""
    async with engine.connect() as connection:
        return sorted(await connection.scalars(text(query)))


async def told(engine: AsyncEngine) -> list[tuple[str, bytes | None, bool]]:
    """Topic, key, and whether it is a tombstone, of what waits to be published."""
    async with engine.begin() as tx:
        rows = [row.message for row in await outbox.take(tx, 100)]
    return [(each.topic, each.key, each.value is None) for each in rows]


async def test_of_an_erased_person_nothing_is_left_under_any_name(engine: AsyncEngine) -> None:
    report = await erase_on(engine).contact("anonymous")
    assert report.erased == {"contacts": 3, "decisions": 2, "names": 2, "messages": 4, "examples": 1}
    assert await column(engine, "SELECT contact_id FROM contacts") == ["lee"]
    assert await column(engine, "SELECT name FROM names") == ["lee"]
    assert await column(engine, "SELECT message_id FROM rejections") == ["kimono", "lee", "names-acme"]
    assert await column(engine, "SELECT example FROM violations") == ["", '"x" is no number']
    published = await told(engine)
    assert {key for topic, key, gone in published if gone} == {
        b"acme/kim", b"acme/anonymous", b"initech/kim", b"initech/anonymous",
    }  # fmt: skip
    assert {key for topic, key, _ in published if topic == CUSTOMER_EVENTS.name} == {b"acme", b"initech"}
    assert len(published) == len(report.published)


async def test_the_tombstone_comes_last_of_its_key(engine: AsyncEngine) -> None:
    await erase_on(engine).contact("kim", "initech")
    gone = [
        gone
        for topic, key, gone in await told(engine)
        if (topic, key) == (CUSTOMER_CONTACTS.name, b"initech/kim")
    ]
    assert gone == [False, True]


async def test_in_one_of_several_accounts_the_person_stays_known(engine: AsyncEngine) -> None:
    report = await erase_on(engine).contact("kim", "initech")
    assert report.erased == {"contacts": 1, "decisions": 1, "names": 0, "messages": 0, "examples": 0}
    assert await column(engine, "SELECT account_id FROM contacts") == ["acme", "acme", "globex"]


async def test_of_an_erased_account_nothing_is_left_but_what_other_accounts_know(engine: AsyncEngine) -> None:
    report = await erase_on(engine).account("acme")
    assert report.erased == {"contacts": 2, "decisions": 2, "names": 2, "messages": 2, "examples": 0}
    assert await column(engine, "SELECT account_id FROM contacts") == ["globex", "initech"]
    assert await column(engine, "SELECT account_id FROM decisions") == ["globex", "initech"]
    assert "names-acme" not in await column(engine, "SELECT message_id FROM rejections")
    assert {(topic, key) for topic, key, gone in await told(engine) if not gone} == {
        (CUSTOMER_CONTACTS.name, b"acme/"),
        (CUSTOMER_EVENTS.name, b"acme"),
    }


async def test_erasing_again_finds_nothing_and_every_report_is_kept(engine: AsyncEngine) -> None:
    erase = erase_on(engine)
    first, again = await erase.account("acme"), await erase.account("acme")
    assert not any(again.erased.values())
    assert first.erased.keys() == again.erased.keys()
    assert [await erase.report(each.id) for each in (first, again)] == [first, again]


@pytest.mark.parametrize("name", ["nobody", "stripe:cus_1", 'a"b\\c', "é/ü", "x" * 200])
async def test_names_nobody_knows_erase_nothing(engine: AsyncEngine, name: str) -> None:
    erase = erase_on(engine)
    for report in (await erase.contact(name), await erase.account(name)):
        assert not any(report.erased.values())


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("é", b'{"userId":"\\u00e9"}'),
        ("é", '{"userId":"é"}'.encode()),
        ("a/b", b'{"userId":"a\\/b"}'),
        ('a"b', b'{"userId":"a\\"b"}'),
        ("stripe:cus_123", b'{"customer":"cus_123"}'),
    ],
)
async def test_a_mention_is_found_as_senders_write_it(engine: AsyncEngine, name: str, body: bytes) -> None:
    async with engine.begin() as tx:
        await PostgresRejections(tx).add([rejection("mention", body)])
    assert (await erase_on(engine).contact(name)).erased["messages"] == 1


async def test_whoever_erases_waits_until_it_is_published(engine: AsyncEngine) -> None:
    erasing = asyncio.create_task(Erase(PostgresArchive(engine), ManualClock(START)).account("acme"))
    await eventually(lambda: told(engine), what="it is committed")
    assert not erasing.done()
    async with engine.begin() as tx:
        await outbox.delete(tx, [row.id for row in await outbox.take(tx, 100)])
    assert (await erasing).erased["contacts"] > 0


async def test_whoever_erases_has_an_answer_while_the_brokers_are_away(engine: AsyncEngine) -> None:
    archive = PostgresArchive(engine, patience_s=0.05)
    assert (await Erase(archive, ManualClock(START)).account("acme")).published
    assert await told(engine)
