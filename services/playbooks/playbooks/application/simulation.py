"""Playbooks in pretended time: the handlers of the service itself, over a store that nothing leaves and a clock that jumps.

There is no second engine here. Crossings and snapshots come in as from Kafka, due runs are taken as the ticker takes them,
calls are claimed as the caller claims them; only the clock, the endpoints and the people are made up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec

from csm_common.contracts.envelope import RawEnvelope
from csm_common.contracts.notifications import NOTIFICATION_REQUESTED, Recipient
from csm_common.database.outbox import Message
from playbooks.application.endpoints import Endpoints
from playbooks.application.handlers.accounts import keep_accounts
from playbooks.application.handlers.calls import claim_calls, make_call
from playbooks.application.handlers.crossings import Changes, handle_crossings
from playbooks.application.handlers.steps import Rules, advance_due
from playbooks.application.handlers.trials import follow
from playbooks.application.model import Approval, Playbook, ReceivedCrossing, ReceivedSnapshot, Task
from playbooks.application.ports import Transactions
from playbooks.application.reads import Reads
from playbooks.application.simulation_people import People

BATCH = 1_000
MOST_ROUNDS = 10_000
"""Far more steps than any playbook takes at one instant."""

_envelope = msgspec.json.Decoder(RawEnvelope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A message that the notifier was asked for. Whom it reaches, and whether contact rules let it pass, the notifier decides."""

    requested_at: datetime
    account_id: str
    run_id: str
    playbook: str
    step: str
    channel: str
    template: str
    category: str
    message_class: str
    recipients: Sequence[Recipient]


_request = msgspec.json.Decoder(Requested)


class Sandbox(Protocol):
    """A store of its own, empty at first, that nothing leaves."""

    @property
    def transactions(self) -> Transactions: ...
    @property
    def reads(self) -> Reads: ...

    def install(self, playbook: Playbook, *, active: bool) -> None:
        """Let runs follow this version; active, it starts them."""
        ...

    def take_messages(self) -> Sequence[Message]:
        """What was to be published since this was asked last, in order."""
        ...

    def tasks(self) -> Sequence[Task]:
        """All tasks that were opened, whatever became of them."""
        ...

    def pending(self) -> tuple[Sequence[Approval], Sequence[Task]]:
        """Questions that nobody has answered, and tasks that nobody has done."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What an endpoint was told, and what it answered."""

    at: datetime
    endpoint: str
    message_id: str
    body: Mapping[str, Any]
    status: int


class PretendedEndpoints(Endpoints, Protocol):
    """Endpoints that call nobody."""

    @property
    def called(self) -> Sequence[Called]:
        """What was told, in order."""
        ...


class PretendedClock:
    """Implements csm_common.clock.Clock; only forward."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The pretended instant."""
        return self._now

    def move(self, instant: datetime) -> None:
        """On to `instant`; where that is past, nothing moves."""
        self._now = max(self._now, instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What health-score tells at one instant, in the order of its log."""

    snapshots: Sequence[ReceivedSnapshot] = ()
    crossings: Sequence[ReceivedCrossing] = ()


@dataclass(slots=True)
class Simulator:
    """Runs in pretended time from the clock's instant on. `requests` are the messages asked for so far, in order."""

    sandbox: Sandbox
    rules: Rules
    clock: PretendedClock
    endpoints: PretendedEndpoints
    people: People
    requests: list[Requested] = field(default_factory=list)

    async def feed(self, news: News) -> Changes:
        """Take in what is told now, and let the steps that are due by it be taken."""
        now = self.clock.now()
        newest = {each.snapshot.account_id: each for each in news.snapshots}
        async with self.sandbox.transactions.begin() as store:
            await keep_accounts(store, [], list(newest.values()), now)
            changes = await handle_crossings(store, news.crossings, now)
            fresh = [each.crossing for each in changes.crossings]
            told = {account: each.snapshot for account, each in newest.items()}
            await follow(store.trials, store.playbooks, told, fresh, now)
        await self._settle()
        return changes

    async def advance(self, until: datetime) -> None:
        """Move the clock to `until`, jumping from one instant at which something is due to the next."""
        while (due := await self._next_due()) is not None and due <= until:
            self.clock.move(due)
            await self.people.act(self.sandbox.transactions, self.clock, self.rules.calendar)
            await self._settle()
        self.clock.move(until)

    async def _next_due(self) -> datetime | None:
        async with self.sandbox.transactions.begin() as store:
            known = [await store.runs.next_due(), self.people.next_due()]
        return min((each for each in known if each is not None), default=None)

    async def _settle(self) -> None:
        """Take every step that is due by now. RuntimeError where there is no end of them."""
        for _ in range(MOST_ROUNDS):
            async with self.sandbox.transactions.begin() as store:
                due = await store.runs.next_due()
            if due is None or due > self.clock.now():
                return
            await self._round()
        raise RuntimeError(f"at {self.clock.now():%Y-%m-%dT%H:%M:%SZ} there is always one more step due")

    async def _round(self) -> None:
        transactions, now = self.sandbox.transactions, self.clock.now()
        await advance_due(transactions, now, self.rules, worker="simulation", limit=BATCH)
        claimed = await claim_calls(transactions, now, self.rules, limit=BATCH)
        for call in claimed.calls:
            await make_call(transactions, self.endpoints, call, self.clock, self.rules)
        self.requests += _requests(self.sandbox.take_messages())
        if self.people.are_asked:
            self.people.notice(*self.sandbox.pending(), now)


def _requests(messages: Sequence[Message]) -> list[Requested]:
    envelopes = [_envelope.decode(each.value) for each in messages if each.value is not None]
    return [_request.decode(each.data) for each in envelopes if each.type == NOTIFICATION_REQUESTED]
