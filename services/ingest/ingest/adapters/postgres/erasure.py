"""What is kept of people and accounts, over all tables: found, erased, and the reports of it kept."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from csm_common.database import outbox
from csm_common.database.outbox import Message
from csm_common.errors import TransientError
from ingest.adapters.postgres.connecting import connected
from ingest.adapters.postgres.people import PostgresPeople
from ingest.application.erase import Counts, ErasureReport, Known
from ingest.domain.mentions import mentions

_NAMES = text("SELECT name FROM names WHERE person IN (SELECT person FROM names WHERE name = :name)")

_ACCOUNTS = text("""
SELECT account_id FROM contacts WHERE contact_id = ANY(CAST(:names AS text[]))
UNION SELECT account_id FROM names WHERE name = ANY(CAST(:names AS text[])) AND account_id IS NOT NULL
UNION SELECT account_id FROM decisions WHERE person = ANY(CAST(:names AS text[]))
""")

_PEOPLE_OF = text("""
SELECT name FROM names WHERE person IN (SELECT person FROM names WHERE account_id = :account)
""")

_IN_ACCOUNT = "(CAST(:account AS text) IS NULL OR account_id = :account)"

_CONTACTS = text(f"""
DELETE FROM contacts WHERE contact_id = ANY(CAST(:names AS text[])) AND {_IN_ACCOUNT} RETURNING account_id, contact_id
""")  # noqa: S608  (a constant)
_DECISIONS = text(f"DELETE FROM decisions WHERE person = ANY(CAST(:names AS text[])) AND {_IN_ACCOUNT}")  # noqa: S608
_FORGET_NAMES = text("DELETE FROM names WHERE name = ANY(CAST(:names AS text[]))")

_CONTACTS_OF = text("DELETE FROM contacts WHERE account_id = :account RETURNING account_id, contact_id")
_DECISIONS_OF = text("DELETE FROM decisions WHERE account_id = :account")

# Bodies are bytes that may be no JSON at all, so they are searched as bytes.
_MESSAGES = text("""
DELETE FROM rejections
WHERE person = ANY(CAST(:names AS text[])) OR EXISTS (
    SELECT FROM unnest(CAST(:mentions AS bytea[])) AS mention
    WHERE position(mention IN body) > 0 OR position(mention IN coalesce(drafts, '')) > 0
        OR position(mention IN convert_to(context::text, 'UTF8')) > 0
)
""")

_EXAMPLES = text("""
UPDATE violations SET example = ''
WHERE EXISTS (SELECT FROM unnest(CAST(:texts AS text[])) AS name WHERE strpos(example, name) > 0)
""")

_KEEP = text("""
INSERT INTO erasures (id, account_id, contact_id, asked_at, report)
VALUES (CAST(:id AS uuid), :account_id, :contact_id, :asked_at, CAST(:report AS jsonb))
""")

_REPORT = text("SELECT report::text FROM erasures WHERE id = CAST(:id AS uuid)")

_LOOK_EVERY_S = 0.02

_decode = msgspec.json.Decoder(ErasureReport).decode


class PostgresTraces:
    """Traces in one transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def of_contact(self, contact_id: str) -> Known:
        """Who this is; held until the transaction ends."""
        await PostgresPeople(self._tx).lock({contact_id}, merging=False)
        names = {contact_id, *(await self._tx.scalars(_NAMES, {"name": contact_id}))}
        accounts = await self._tx.scalars(_ACCOUNTS, {"names": sorted(names)})
        return Known(frozenset(names), frozenset(accounts))

    async def erase_contact(
        self, known: Known, account_id: str | None
    ) -> tuple[Counts, Sequence[tuple[str, str]]]:
        """Names and messages know no account: they go with the last account that knows the person."""
        names = sorted(known.names)
        where = {"names": names, "account": account_id}
        records = [tuple(row) for row in await self._tx.execute(_CONTACTS, where)]
        counts = {"decisions": await self._run(_DECISIONS, **where)}
        counts["names"] = await self._run(_FORGET_NAMES, names=names) if account_id is None else 0
        counts |= await self._erase_messages(names, names if account_id is None else [])
        return counts, sorted(records)

    async def erase_account(self, account_id: str) -> tuple[Counts, Sequence[tuple[str, str]]]:
        """The people in the account by their last group; their messages are those held and those that name the account."""
        people = PostgresPeople(self._tx)
        await people.lock(await self._people_of(account_id), merging=False)
        names = await self._people_of(account_id)
        records = [tuple(row) for row in await self._tx.execute(_CONTACTS_OF, {"account": account_id})]
        counts = {
            "decisions": await self._run(_DECISIONS_OF, account=account_id),
            "names": await self._run(_FORGET_NAMES, names=names),
        }
        return {**counts, **await self._erase_messages(names, [account_id])}, sorted(records)

    async def _people_of(self, account_id: str) -> list[str]:
        return sorted(await self._tx.scalars(_PEOPLE_OF, {"account": account_id}))

    async def _erase_messages(self, persons: Sequence[str], mentioned: Collection[str]) -> Counts:
        if not mentioned:
            return {"messages": 0, "examples": 0}
        written = sorted({each.encode() for name in mentioned for each in mentions(name)})
        return {
            "messages": await self._run(_MESSAGES, names=list(persons), mentions=written),
            "examples": await self._run(_EXAMPLES, texts=sorted(mentioned)),
        }

    async def _run(self, statement: TextClause, **parameters: object) -> int:
        return int((await self._tx.execute(statement, parameters)).rowcount)

    async def publish(self, messages: Sequence[Message]) -> None:
        """Tell this once the transaction lasts."""
        await outbox.add(self._tx, messages)

    async def keep(self, report: ErasureReport) -> None:
        """Keep the report."""
        row = {"id": report.id, "account_id": report.account_id, "contact_id": report.contact_id}
        told = msgspec.json.encode(report).decode()
        await self._tx.execute(_KEEP, row | {"asked_at": report.asked_at, "report": told})

    async def report(self, erasure_id: str) -> ErasureReport | None:
        """A report that was kept."""
        found: str | None = await self._tx.scalar(_REPORT, {"id": erasure_id})
        return None if found is None else _decode(found)


class PostgresArchive:
    """Opens transactions."""

    def __init__(self, engine: AsyncEngine, *, patience_s: float = 5.0) -> None:
        """`patience_s` is how long brokers may take before nobody waits for them any more."""
        self._engine = engine
        self._patience_s = patience_s

    async def until_published(self, messages: Sequence[Message]) -> None:
        """Looks at the outbox until the relay has taken the keys out of it; waits for nothing while the server is away."""
        keys = {each.key for each in messages if each.key is not None}
        with suppress(TimeoutError, TransientError):
            async with asyncio.timeout(self._patience_s):
                while await self._waiting(keys):  # noqa: ASYNC110  (another process may publish them)
                    await asyncio.sleep(_LOOK_EVERY_S)

    async def _waiting(self, keys: Collection[bytes]) -> bool:
        async with connected(self._engine) as tx:
            return await outbox.waiting(tx, keys)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresTraces]:
        """A transaction; TransientError where the server is away or asks to try again."""
        async with connected(self._engine) as tx:
            yield PostgresTraces(tx)
