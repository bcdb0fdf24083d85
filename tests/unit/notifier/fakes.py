"""The ports in memory. The store keeps to the same contract suite as PostgreSQL does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.unit.notifier.builders import WORDS

from notifier.application.ports import Claimed, DirectoryEntry, Erased, Rendered, TemplateError
from notifier.application.views import AttemptView, DecisionView, NotificationDetail, NotificationSummary
from notifier.domain.delivery import Answer, Verdict
from notifier.domain.notification import Notification, Status, Wanted
from notifier.domain.recipients import Contact, Decision, Recipient

_DETAILS = ("name", "email", "role", "active")


@dataclass
class _Entry:
    account_id: str
    contact_id: str
    recorded_at: datetime
    details: dict[str, Any]


@dataclass
class _Row:
    notification: Notification
    status: Status
    received_at: datetime
    wake_at: datetime | None
    attempt: int = 0
    held: int = 0
    reason: str | None = None
    finished_at: datetime | None = None
    decision: DecisionView | None = None
    attempts: dict[int, AttemptView] = field(default_factory=dict)


@dataclass
class _Tables:
    contacts: dict[bytes, _Entry] = field(default_factory=dict)
    rows: dict[str, _Row] = field(default_factory=dict)
    facts: list[tuple[str, Status, datetime]] = field(default_factory=list)
    erased: dict[str, datetime] = field(default_factory=dict)


class MemoryStore:
    """All tables, and `open()` for a unit of work that is undone when its block fails. `fail` raises at a commit."""

    def __init__(self) -> None:
        self._tables = _Tables()
        self.fail: Callable[[], None] = lambda: None
        self.open_transactions = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator["MemoryWork"]:
        """One transaction."""
        before = deepcopy(self._tables)
        self.open_transactions += 1
        try:
            yield MemoryWork(self._tables)
            self.fail()
        except BaseException:
            self._tables = before
            raise
        finally:
            self.open_transactions -= 1

    @property
    def facts(self) -> list[tuple[str, Status, datetime]]:
        """What was told of outcomes: notification, status, when."""
        return self._tables.facts


class MemoryWork:
    """What can be done in one transaction."""

    def __init__(self, tables: _Tables) -> None:
        self.directory = MemoryDirectory(tables.contacts)
        self.notifications = MemoryNotifications(tables.rows)
        self.erasures = MemoryErasures(tables)
        self.facts = MemoryFacts(tables.facts)


class MemoryDirectory:
    """Contacts by record key."""

    def __init__(self, entries: dict[bytes, _Entry]) -> None:
        self._entries = entries

    async def record(self, entries: Sequence[DirectoryEntry]) -> None:
        """A newer entry wins field by field, an older one fills what is unknown."""
        for each in entries:
            contact = each.contact
            new = {name: value for name in _DETAILS if (value := getattr(contact, name)) is not None}
            known = self._entries.setdefault(
                each.key, _Entry(contact.account_id, contact.contact_id, each.recorded_at, {})
            )
            newer = each.recorded_at >= known.recorded_at
            known.details = known.details | new if newer else new | known.details
            known.recorded_at = max(known.recorded_at, each.recorded_at)

    async def erase(self, keys: Sequence[bytes]) -> None:
        """Forget them."""
        for key in keys:
            self._entries.pop(key, None)

    async def of_accounts(self, account_ids: Collection[str]) -> Mapping[str, Sequence[Contact]]:
        """By account."""
        found: dict[str, list[Contact]] = {}
        for each in self._entries.values():
            if each.account_id in account_ids:
                found.setdefault(each.account_id, []).append(
                    Contact(contact_id=each.contact_id, **each.details)
                )
        return found


class MemoryNotifications:
    """Notifications by id."""

    def __init__(self, rows: dict[str, _Row]) -> None:
        self._rows = rows

    async def add(self, notifications: Sequence[Notification], now: datetime) -> None:
        """As pending, unless known."""
        for each in notifications:
            self._rows.setdefault(each.id, _Row(each, Status.PENDING, now, now))

    async def claim(self, owner: str, now: datetime, lease_until: datetime, limit: int) -> Sequence[Claimed]:
        """Longest due first."""
        due = [row for row in self._rows.values() if row.wake_at is not None and row.wake_at <= now]
        return [self._begin(row, now, lease_until) for row in sorted(due, key=_due)[:limit]]

    def _begin(self, row: _Row, now: datetime, lease_until: datetime) -> Claimed:
        interrupted = row.status is Status.SENDING
        if interrupted:
            lost = row.attempts[row.attempt]
            row.attempts[row.attempt] = replace(
                lost, ended_at=now, outcome="unknown", detail="the sender never told how it ended"
            )
        row.status, row.wake_at, row.attempt = Status.SENDING, lease_until, row.attempt + 1
        row.attempts[row.attempt] = AttemptView(
            number=row.attempt, started_at=now, ended_at=None, outcome=None, code=None, detail=None
        )
        return Claimed(row.notification, row.attempt, lease_until, row.received_at, interrupted, row.held)

    async def record(
        self, claimed: Claimed, decision: Decision | None, verdict: Verdict, now: datetime
    ) -> bool:
        """Only for the present attempt."""
        row = self._rows[claimed.notification.id]
        if row.attempt != claimed.attempt or row.status is not Status.SENDING:
            return False
        row.status, row.reason, row.wake_at = verdict.status, verdict.reason, verdict.wake_at
        row.finished_at = now if verdict.status.final else None
        row.held += verdict.outcome == "held"
        if decision is not None:
            to = decision.recipient
            row.decision = DecisionView(
                kind=to.kind if to else None, contact_id=to.contact_id if to else None, why=decision.why
            )
        row.attempts[row.attempt] = replace(
            row.attempts[row.attempt],
            ended_at=now,
            outcome=verdict.outcome,
            code=verdict.code,
            detail=verdict.detail,
        )
        return True

    async def page(
        self,
        account_id: str | None,
        status: Status | None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[NotificationSummary]:
        """Newest first."""
        wanted = [
            row
            for row in self._rows.values()
            if (account_id is None or row.notification.account_id == account_id)
            and (status is None or row.status is status)
            and (before is None or _place(row) < before)
        ]
        newest = sorted(wanted, key=_place, reverse=True)[:limit]
        return [NotificationSummary(**_summary(row)) for row in newest]

    async def detail(self, notification_id: str) -> NotificationDetail | None:
        """All of one."""
        row = self._rows.get(notification_id)
        if row is None:
            return None
        return NotificationDetail(
            **_summary(row),
            message_class=row.notification.message_class,
            wanted=row.notification.recipients,
            decision=row.decision,
            attempts=tuple(row.attempts.values()),
            chain=dict(row.notification.chain),
        )


def _due(row: _Row) -> datetime:
    assert row.wake_at is not None
    return row.wake_at


def _place(row: _Row) -> tuple[datetime, str]:
    return row.notification.requested_at, row.notification.id


def _summary(row: _Row) -> dict[str, Any]:
    same = (
        "id",
        "account_id",
        "channel",
        "category",
        "template",
        "playbook",
        "playbook_version",
        "run_id",
        "step",
        "requested_at",
        "expires_at",
    )
    return {name: getattr(row.notification, name) for name in same} | {
        "status": row.status,
        "reason": row.reason,
        "attempt_count": row.attempt,
        "next_attempt_at": row.wake_at if row.status in (Status.PENDING, Status.RETRY) else None,
        "finished_at": row.finished_at,
    }


class MemoryErasures:
    """Over all tables."""

    def __init__(self, tables: _Tables) -> None:
        self._tables = tables

    async def of_contacts(self, contacts: Mapping[tuple[str, str], datetime]) -> Erased:
        """What was said to them."""
        done = [self._of_contact(*who, at) for who, at in contacts.items()]
        return Erased(
            0,
            sum(each.notifications for each in done),
            sum(each.attempts for each in done),
            [one for each in done for one in each.cancelled],
        )

    def _of_contact(self, account_id: str, contact_id: str, at: datetime) -> Erased:
        wanted = Wanted("contact", contact_id)
        rows = [
            row
            for row in self._of(account_id, at)
            if wanted in row.notification.recipients or _went_to(row, contact_id)
        ]
        only = [row for row in rows if set(row.notification.recipients) == {wanted}]
        return self._forget(rows, only, at, contacts=0)

    async def of_accounts(self, accounts: Mapping[str, datetime]) -> Erased:
        """All that is kept of them."""
        done = [self._of_account(account, at) for account, at in accounts.items()]
        return Erased(
            sum(each.contacts for each in done),
            sum(each.notifications for each in done),
            sum(each.attempts for each in done),
            [one for each in done for one in each.cancelled],
        )

    def _of_account(self, account_id: str, at: datetime) -> Erased:
        erased = self._tables.erased
        erased[account_id] = max(at, erased.get(account_id, at))
        gone = [
            key
            for key, each in self._tables.contacts.items()
            if each.account_id == account_id and each.recorded_at <= at
        ]
        for key in gone:
            del self._tables.contacts[key]
        rows = self._of(account_id, at)
        return self._forget(rows, rows, at, contacts=len(gone))

    def _of(self, account_id: str, at: datetime) -> list[_Row]:
        asked = ((row, row.notification) for row in self._tables.rows.values())
        return [row for row, each in asked if each.account_id == account_id and each.requested_at <= at]

    def _forget(
        self, rows: Sequence[_Row], cancellable: Sequence[_Row], at: datetime, *, contacts: int
    ) -> Erased:
        cancelled = [row for row in cancellable if not row.status.final]
        before = [row.notification for row in cancelled]
        for row in cancelled:
            row.status, row.reason, row.wake_at, row.finished_at = Status.CANCELLED, "erased", None, at
        blank = [
            row
            for row in rows
            if row.status.final and (row.notification.context or row.reason not in (None, "erased"))
        ]
        for row in blank:
            row.notification = replace(row.notification, context={})
            row.reason = row.reason and "erased"
        attempts = 0
        for row in rows:
            for number, attempt in row.attempts.items():
                attempts += attempt.detail is not None
                row.attempts[number] = replace(attempt, detail=None)
        return Erased(contacts, len(blank), attempts, before)

    async def erased_at(self, account_ids: Collection[str]) -> Mapping[str, datetime]:
        """When they were."""
        return {each: self._tables.erased[each] for each in account_ids if each in self._tables.erased}


def _went_to(row: _Row, contact_id: str) -> bool:
    return row.decision is not None and row.decision.contact_id == contact_id


class MemoryFacts:
    """A list."""

    def __init__(self, told: list[tuple[str, Status, datetime]]) -> None:
        self._told = told

    async def outreach_changed(self, notification: Notification, status: Status, now: datetime) -> None:
        """Note it."""
        self._told.append((notification.id, status, now))


class FixedRenderer:
    """Always the same words, and none for the template `broken`."""

    def render(self, template: str, variables: Mapping[str, Any]) -> Rendered:
        """The words."""
        if template == "broken":
            raise TemplateError("template broken: 'owner' is undefined")
        return WORDS


@dataclass(frozen=True)
class Sent:
    """One message as a channel was given it."""

    notification: Notification
    recipient: Recipient
    words: Rendered


class ScriptedChannel:
    """Gives the answers of a script in turn, the last one for ever; `gate` holds sends back while it is not set."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers) or [Answer("accepted", "Kept", 250)]
        self.gate = asyncio.Event()
        self.gate.set()
        self.sent: list[Sent] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.on_send: Callable[[], None] = lambda: None
        self._abandoned = False

    async def send(
        self, notification: Notification, recipient: Recipient, words: Rendered, now: datetime
    ) -> Answer:
        """Note the message and answer."""
        self.on_send()
        self.sent.append(Sent(notification, recipient, words))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await self.gate.wait()
        self.in_flight -= 1
        if self._abandoned:
            return Answer("deferred", "told to stop")
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def abandon(self) -> None:
        """Open the gate, answering that nothing came of it."""
        self._abandoned = not self.gate.is_set()
        self.gate.set()
