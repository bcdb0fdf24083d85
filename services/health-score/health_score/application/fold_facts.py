"""The one writer of an account: folds facts in, evaluates, and runs the timers of the partitions that are ours."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.clock import Clock
from csm_common.contracts.topics import CUSTOMER_EVENTS, Topic
from csm_common.database.outbox import Message
from csm_common.database.positions import Partition
from csm_common.kafka.record import Outcome, Record
from csm_common.telemetry import metrics
from health_score.application.decoding import Decoded
from health_score.application.erasures import is_afterthought, tell_erased, voided
from health_score.application.journals import Journals
from health_score.application.messages import (
    crossing_messages,
    encode_snapshot,
    erasure_messages,
    instant,
    snapshot_message,
    snapshot_of,
)
from health_score.application.ports import AccountRepository, AccountRow, IntakeRepository, Outbox
from health_score.application.states import States
from health_score.domain.account import AccountState, fold
from health_score.domain.compiled import CompiledCard
from health_score.domain.evaluation import CauseKind, Evaluation, evaluate

_FACT_IDS_TOLD = 20


@dataclass(slots=True)
class Touched:
    """An account of a batch: where it lives, its state, and what was folded into it."""

    state: AccountState
    partition: int
    fact_ids: list[str]
    traceparent: str | None = None


class FactsHandler:
    """A BatchHandler over `customer.events.v1`."""

    name = "health-score"
    topics: tuple[Topic, ...] = (CUSTOMER_EVENTS,)

    def __init__(
        self,
        card: CompiledCard,
        accounts: AccountRepository,
        states: States,
        journals: Journals,
        intake: IntakeRepository,
        outbox: Outbox,
        clock: Clock,
        *,
        timer_batch: int,
    ) -> None:
        self._card = card
        self._accounts = accounts
        self._states = states
        self._journals = journals
        self._intake = intake
        self._outbox = outbox
        self._clock = clock
        self._timer_batch = timer_batch
        self._next_due: datetime | None = None

    async def claimed(self, tx: AsyncConnection, partitions: Sequence[Partition]) -> None:
        """Read what is kept in memory of the partitions; nothing is known of any other from now on."""
        numbers = [number for _, number in partitions]
        self._states.forget()
        await self._journals.claimed(tx, numbers)
        self._next_due = await self._accounts.next_due(tx, numbers)

    async def handle(self, tx: AsyncConnection, records: Sequence[Record]) -> Outcome:
        """Fold what is new, evaluate each account once, write everything down."""
        batch = self._journals.sort(records)
        valid = voided(batch.new)
        erased = await self._erase(tx, valid.erasures.values())
        touched = await self._fold(tx, valid.facts)
        now = self._clock.now()
        evaluations = await self._evaluate(tx, touched, now, "facts")
        recorded = await self._journals.record(tx, batch, now)
        await self._intake.add(tx, batch.counts)

        def committed() -> None:
            self._journals.committed(recorded)
            self._expect(each.due for each in evaluations)
            self._states.trim()
            metrics.events_folded.add(len(batch.new))
            tell_erased(valid, erased)
            metrics.events_repeated.add(sum(each.repeated for each in batch.counts.values()))
            _count(evaluations)

        return Outcome(batch.dead_letters, committed)

    async def _erase(self, tx: AsyncConnection, erasures: Collection[Decoded]) -> int:
        """Forget accounts, and tell so even of those we never knew: whoever reads us may know more than we do."""
        if not erasures:
            return 0
        accounts = [each.envelope.subject for each in erasures]
        self._states.drop(accounts)
        erased = await self._accounts.erase(tx, accounts)
        told = [erasure_messages(each.fact(), each.record.traceparent) for each in erasures]
        await self._outbox.add(tx, [message for messages in told for message in messages])
        return erased

    async def _fold(self, tx: AsyncConnection, new: Sequence[Decoded]) -> dict[str, Touched]:
        partitions = {each.envelope.subject: each.record.partition for each in new}
        states = await self._states.take(tx, partitions)
        touched = {account: Touched(states[account], number, []) for account, number in partitions.items()}
        for each in new:
            account = touched[each.envelope.subject]
            if is_afterthought(account.state, each):
                continue
            fold(self._card, account.state, each.fact())
            account.fact_ids.append(each.envelope.id)
            account.traceparent = each.record.traceparent or account.traceparent
        return {account: each for account, each in touched.items() if each.fact_ids}

    async def _evaluate(
        self, tx: AsyncConnection, touched: Mapping[str, Touched], now: datetime, cause: CauseKind
    ) -> list[Evaluation]:
        evaluations, rows, messages = [], [], []
        for account in touched.values():
            told = account.fact_ids[-_FACT_IDS_TOLD:]
            found = evaluate(self._card, account.state, now.timestamp(), told, cause)
            row, row_messages = self._written(account, found)
            evaluations.append(found)
            rows.append(row)
            messages += row_messages
        await self._accounts.save(tx, rows)
        await self._outbox.add(tx, messages)
        return evaluations

    def _written(self, account: Touched, found: Evaluation) -> tuple[AccountRow, list[Message]]:
        snapshot = snapshot_of(self._card.card, account.state, found)
        due = None if found.due is None else instant(found.due)
        row = AccountRow(account.state, account.partition, encode_snapshot(snapshot), due)
        if not found.changed:
            return row, []
        told = snapshot_message(snapshot, account.traceparent)
        behind = account.state.erased_revision
        return row, [told, *crossing_messages(snapshot, found, account.traceparent, behind)]

    # ---- timers

    def next_due(self) -> datetime | None:
        """When the next account of our partitions has to be looked at again."""
        return self._next_due

    async def handle_due(
        self, tx: AsyncConnection, partitions: Sequence[Partition], now: datetime
    ) -> Outcome:
        """Evaluate the accounts that are due; cost grows with them, not with all accounts."""
        numbers = [number for _, number in partitions]
        due = await self._accounts.due(tx, numbers, now, self._timer_batch)
        states = await self._states.take(tx, [account for account, _, _ in due])
        touched = {account: Touched(states[account], number, []) for account, number, _ in due}
        evaluations = await self._evaluate(tx, touched, now, "timer")
        next_due = await self._accounts.next_due(tx, numbers)

        def committed() -> None:
            self._next_due = next_due
            self._states.trim()
            for _, _, at in due:
                metrics.timer_lateness.record((now - at).total_seconds())
            _count(evaluations)

        return Outcome((), committed)

    def forget(self) -> None:
        """The transaction failed: the states in memory are ahead of the database."""
        self._states.forget()

    def _expect(self, dues: Iterable[float | None]) -> None:
        known = [instant(each) for each in dues if each is not None]
        if self._next_due is not None:
            known.append(self._next_due)
        self._next_due = min(known, default=None)


def _count(evaluations: Iterable[Evaluation]) -> None:
    for found in evaluations:
        for crossing in found.crossings:
            metrics.crossings_announced.add(
                1, {"threshold": crossing.threshold, "direction": crossing.direction}
            )
