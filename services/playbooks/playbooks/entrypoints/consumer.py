"""The Kafka door: records of health-score in, one transaction a batch, which the exactly-once consumer commits."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.clock import Clock
from csm_common.contracts.envelope import RawEnvelope
from csm_common.contracts.facts import ACCOUNT_ERASED
from csm_common.contracts.health import ACCOUNT_SCORED, THRESHOLD_CROSSED, AccountSnapshot, Crossing
from csm_common.contracts.topics import HEALTH_ACCOUNTS, HEALTH_CROSSINGS, Topic
from csm_common.database.positions import Partition
from csm_common.kafka.record import DeadLetter, Outcome, Record
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from playbooks.application.handlers.accounts import keep_accounts
from playbooks.application.handlers.crossings import Changes, handle_crossings
from playbooks.application.handlers.erasures import erase_accounts
from playbooks.application.handlers.trials import follow
from playbooks.application.model import ReceivedCrossing, ReceivedSnapshot
from playbooks.application.ports import Store

log = get_logger(__name__)

_envelope = msgspec.json.Decoder(RawEnvelope)
_snapshot = msgspec.json.Decoder(AccountSnapshot)
_crossing = msgspec.json.Decoder(Crossing)


class HealthHandler:
    """A BatchHandler over what health-score tells. It remembers nothing between batches, so it has nothing to forget."""

    name = "playbooks"
    topics: tuple[Topic, ...] = (HEALTH_CROSSINGS, HEALTH_ACCOUNTS)

    def __init__(
        self, store: Callable[[AsyncConnection], Store], clock: Clock, on_started: Callable[[], None]
    ) -> None:
        """`store` is the store of a transaction; `on_started` is called once runs that were started, or woken, last."""
        self._store = store
        self._clock = clock
        self._on_started = on_started

    async def handle(self, tx: AsyncConnection, records: Sequence[Record]) -> Outcome:
        """Keep the newest snapshots and apply the crossings; what cannot be read becomes a dead letter."""
        batch = _Batch(records)
        store = self._store(tx)
        now = self._clock.now()
        woken = await keep_accounts(store, batch.gone, list(batch.newest.values()), now)
        erased = await erase_accounts(store, batch.erased)
        changes = await handle_crossings(store, batch.crossings, now)
        newest = {account: each.snapshot for account, each in batch.newest.items()}
        fresh = [each.crossing for each in changes.crossings]
        await follow(store.trials, store.playbooks, newest, fresh, now)

        def committed() -> None:
            self._committed(changes, woken)
            if batch.erased:
                metrics.erasures.add(len(batch.erased), {"service": "playbooks", "kind": "account"})
                log.info("erased", accounts=len(batch.erased), **erased)

        return Outcome(batch.dead_letters, committed)

    def _committed(self, changes: Changes, woken: int) -> None:
        for run in changes.started:
            metrics.runs_started.add(1, {"playbook": run.playbook})
        for run in changes.ended:
            metrics.runs_ended.add(1, {"playbook": run.playbook, "outcome": run.status})
        for playbook in changes.paused:
            metrics.playbooks_paused.add(1, {"playbook": playbook})
            log.error("a playbook paused itself: more runs than its limit", playbook=playbook)
        if changes.started or woken:
            self._on_started()

    async def claimed(self, tx: AsyncConnection, partitions: Sequence[Partition]) -> None:
        """Nothing to read: everything is in the database."""

    def next_due(self) -> datetime | None:
        """Never: the ticker runs the clock's part for all partitions."""
        return None

    async def handle_due(
        self, tx: AsyncConnection, partitions: Sequence[Partition], now: datetime
    ) -> Outcome:
        """Nothing is ever due here."""
        return Outcome()

    def forget(self) -> None:
        """Nothing is remembered."""


class _Batch:
    """Records by what they tell: accounts without a snapshot, the newest of the others, accounts that are erased, the crossings
    that are not void by it in order, the unreadable."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.gone: set[str] = set()
        self.erased: set[str] = set()
        self.newest: dict[str, ReceivedSnapshot] = {}
        self.crossings: list[ReceivedCrossing] = []
        self.dead_letters: list[DeadLetter] = []
        for record in records:
            try:
                self._sort_in(record)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self.dead_letters.append(DeadLetter(record, "undecodable", str(error)))

    def _sort_in(self, record: Record) -> None:
        if record.value is None:
            self._tombstone(record)
            return
        envelope = _envelope.decode(record.value)
        told = (record.topic, envelope.type)
        if told == (HEALTH_ACCOUNTS.name, ACCOUNT_SCORED):
            self._account(envelope)
        elif told == (HEALTH_CROSSINGS.name, THRESHOLD_CROSSED):
            self._crossing(envelope, record)
        elif told == (HEALTH_CROSSINGS.name, ACCOUNT_ERASED):
            self._erasure(envelope.subject)
        else:
            # Not poison: a newer health-score may tell more than this build can read.
            reason = f"the type {envelope.type} is not known on this topic"
            self.dead_letters.append(DeadLetter(record, "unknown_type", reason, poison=False))

    def _tombstone(self, record: Record) -> None:
        if record.topic == HEALTH_ACCOUNTS.name and record.key is not None:
            account = record.key.decode()
            self.gone.add(account)
            self.newest.pop(account, None)
        else:
            self.dead_letters.append(DeadLetter(record, "undecodable", "a record without a value"))

    def _account(self, envelope: RawEnvelope) -> None:
        data = bytes(envelope.data)
        snapshot = _snapshot.decode(data)
        known = self.newest.get(snapshot.account_id)
        if known is None or known.snapshot.revision < snapshot.revision:
            self.newest[snapshot.account_id] = ReceivedSnapshot(snapshot=snapshot, data=data)

    def _erasure(self, account: str) -> None:
        self.erased.add(account)
        self.crossings = [each for each in self.crossings if each.crossing.account_id != account]

    def _crossing(self, envelope: RawEnvelope, record: Record) -> None:
        data = bytes(envelope.data)
        self.crossings.append(
            ReceivedCrossing(
                id=envelope.id, crossing=_crossing.decode(data), data=data, traceparent=record.traceparent
            )
        )
