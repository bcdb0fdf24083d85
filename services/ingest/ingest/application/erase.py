"""Erasing a person or an account: out of our tables, and out of everybody else's by what is told in the same transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from csm_common.clock import Clock
from csm_common.contracts.facts import ACCOUNT_ERASED, CONTACT_ERASED
from csm_common.database.outbox import Message
from csm_common.errors import InvalidError, NotFoundError
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from ingest.application.contacts import gone
from ingest.application.erasure_messages import account_erased, contact_erased
from ingest.domain.names import name_problem

log = get_logger(__name__)

Counts = Mapping[str, int]
"""How much of each kind was erased."""


@dataclass(frozen=True, slots=True)
class Published:
    """What was told, and where: an event of a type, or a tombstone where the type is null."""

    topic: str
    key: str
    type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReport:
    """What one request erased here, by kind, and what it told the others. Of a contact, `account_id` is the account the
    request was limited to."""

    id: str
    account_id: str | None
    contact_id: str | None
    asked_at: datetime
    erased: dict[str, int]
    published: list[Published]


@dataclass(frozen=True, slots=True)
class Known:
    """A person as far as we know: every name they go by, and the accounts that know them."""

    names: frozenset[str]
    accounts: frozenset[str]


class Traces(Protocol):
    """All that is kept of people and accounts, in one transaction; other work with the same people waits until it ends."""

    async def of_contact(self, contact_id: str) -> Known:
        """Who this is; nobody is known by a name of nobody but itself."""
        ...

    async def erase_contact(
        self, known: Known, account_id: str | None
    ) -> tuple[Counts, Sequence[tuple[str, str]]]:
        """Erase what is kept of the person in the account, or everywhere with all names and messages that mention one.

        What was erased by kind, and the contact records by account and contact id.
        """
        ...

    async def erase_account(self, account_id: str) -> tuple[Counts, Sequence[tuple[str, str]]]:
        """Erase what is kept of the account, the people in it, and the messages that mention it."""
        ...

    async def publish(self, messages: Sequence[Message]) -> None:
        """Tell this once the transaction lasts."""
        ...

    async def keep(self, report: ErasureReport) -> None:
        """Keep the report."""
        ...

    async def report(self, erasure_id: str) -> ErasureReport | None:
        """A report that was kept."""
        ...


class Archive(Protocol):
    """The service's tables."""

    def begin(self) -> AbstractAsyncContextManager[Traces]:
        """A transaction: committed at the end of the block, rolled back where it raises. TransientError while it is away."""
        ...

    async def until_published(self, messages: Sequence[Message]) -> None:
        """Wait until the brokers have what was told, so that whatever comes next stands behind it; not for long: where they
        are away, it is published when they are back."""
        ...


class Erase:
    """The use case. Erasing again erases what has come since; where nothing has, the report says zeros."""

    def __init__(self, archive: Archive, clock: Clock, on_commit: Callable[[], None] = lambda: None) -> None:
        """`on_commit` wakes the outbox's relay."""
        self._archive = archive
        self._clock = clock
        self._on_commit = on_commit

    async def contact(self, contact_id: str, account_id: str | None = None) -> ErasureReport:
        """Erase a person by any of their names, in one account or in all that know them. InvalidError for what is no name."""
        _refuse({"contact id": contact_id} | ({"account": account_id} if account_id is not None else {}))
        now, erasure_id = self._clock.now(), str(uuid4())
        async with self._archive.begin() as traces:
            known = await traces.of_contact(contact_id)
            everywhere = account_id is None or known.accounts <= {account_id}
            counts, records = await traces.erase_contact(known, None if everywhere else account_id)
            accounts = known.accounts if account_id is None else {account_id}
            told = [
                message
                for account in sorted(accounts)
                for name in sorted(known.names)
                for message in contact_erased(erasure_id, account, name, now)
            ]
            report = _report(erasure_id, account_id, contact_id, now, _by_kind(counts, records), told)
            await traces.publish(told)
            await traces.keep(report)
        return await self._done(report, "contact", told)

    async def account(self, account_id: str) -> ErasureReport:
        """Erase an account with everybody in it. InvalidError for what is no name."""
        _refuse({"account": account_id})
        now, erasure_id = self._clock.now(), str(uuid4())
        async with self._archive.begin() as traces:
            counts, records = await traces.erase_account(account_id)
            told = [gone(account, contact) for account, contact in records]
            told += account_erased(erasure_id, account_id, now)
            report = _report(erasure_id, account_id, None, now, _by_kind(counts, records), told)
            await traces.publish(told)
            await traces.keep(report)
        return await self._done(report, "account", told)

    async def _done(self, report: ErasureReport, kind: str, told: Sequence[Message]) -> ErasureReport:
        self._on_commit()
        metrics.erasures.add(1, {"service": "ingest", "kind": kind})
        log.info("erased", erasure=report.id, kind=kind, published=len(report.published), **report.erased)
        await self._archive.until_published(told)
        return report

    async def report(self, erasure_id: str) -> ErasureReport:
        """The report of an erasure. NotFoundError where there was none."""
        async with self._archive.begin() as traces:
            found = await traces.report(erasure_id)
        if found is None:
            raise NotFoundError(f"There is no erasure {erasure_id}. Its id is in the answer to the DELETE.")
        return found


def _by_kind(counts: Counts, records: Collection[tuple[str, str]]) -> dict[str, int]:
    return {"contacts": len(records), **counts}


def _report(
    erasure_id: str,
    account_id: str | None,
    contact_id: str | None,
    now: datetime,
    erased: dict[str, int],
    told: Sequence[Message],
) -> ErasureReport:
    type_ = CONTACT_ERASED if contact_id is not None else ACCOUNT_ERASED
    published = [
        Published(each.topic, (each.key or b"").decode(), None if each.value is None else type_)
        for each in told
    ]
    return ErasureReport(
        id=erasure_id,
        account_id=account_id,
        contact_id=contact_id,
        asked_at=now,
        erased=erased,
        published=published,
    )


def _refuse(names: Mapping[str, str]) -> None:
    if problem := name_problem(names):
        raise InvalidError(problem.message, code=problem.code)
