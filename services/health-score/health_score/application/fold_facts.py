"""The one writer of an account: folds facts in, has it looked at, and runs the timers of the partitions that are ours."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.clock import Clock
from csm_common.contracts.topics import CUSTOMER_EVENTS, Topic
from csm_common.database.positions import Partition
from csm_common.kafka.record import Outcome, Record
from csm_common.telemetry import metrics
from health_score.application.decoding import Decoded
from health_score.application.duties import Duties
from health_score.application.erasures import is_afterthought, tell_erased, voided
from health_score.application.journals import Journals
from health_score.application.looking import Looking, Touched, count
from health_score.application.messages import erasure_messages, instant
from health_score.application.ports import AccountRepository, HistoryRepository, IntakeRepository, Outbox
from health_score.application.sources import Sources
from health_score.application.states import States
from health_score.domain.account import fold
from health_score.domain.evaluation import Cause, Evaluation
from health_score.domain.model import Model

_FACTS_TOLD = 20
_TIMER = Cause("timer")


class FactsHandler:
    """A BatchHandler over `customer.events.v1`."""

    name = "health-score"
    topics: tuple[Topic, ...] = (CUSTOMER_EVENTS,)

    def __init__(
        self,
        duties: Duties,
        accounts: AccountRepository,
        history: HistoryRepository,
        states: States,
        journals: Journals,
        intake: IntakeRepository,
        outbox: Outbox,
        sources: Sources,
        clock: Clock,
        *,
        timer_batch: int,
        rest_s: float,
    ) -> None:
        self._duties = duties
        self._accounts = accounts
        self._history = history
        self._states = states
        self._journals = journals
        self._intake = intake
        self._outbox = outbox
        self._sources = sources
        self._looking = Looking(accounts, history, outbox, rest_s=rest_s)
        self._clock = clock
        self._timer_batch = timer_batch
        self._next_due: datetime | None = None

    async def claimed(self, tx: AsyncConnection, partitions: Sequence[Partition]) -> None:
        """Read what is kept in memory of the partitions; nothing is known of any other from now on."""
        numbers = [number for _, number in partitions]
        self._states.forget()
        self._sources.forget()
        self._duties.claimed(numbers)
        await self._journals.claimed(tx, numbers)
        self._next_due = await self._accounts.next_due(tx, numbers)

    async def handle(self, tx: AsyncConnection, records: Sequence[Record]) -> Outcome:
        """Fold what is new, evaluate each account once, write everything down."""
        await self._catch_up(tx)
        batch = self._journals.sort(records)
        valid = voided(batch.new)
        erased = await self._erase(tx, valid.erasures.values())
        touched = await self._take(tx, {each.envelope.subject: each.record.partition for each in valid.facts})
        now = self._clock.now()
        evaluations = await self._catch_up_with(tx, touched.values(), now)
        changed = _fold(touched, valid.facts)
        evaluations += await self._looking.look(tx, [(each, _facts(each)) for each in changed], now)
        recorded = await self._journals.record(tx, batch, now)
        await self._intake.add(tx, batch.counts)
        await self._sources.note(tx, batch.new, now)

        def committed() -> None:
            self._journals.committed(recorded)
            self._expect(each.due for each in evaluations)
            self._states.trim()
            metrics.events_folded.add(len(batch.new))
            tell_erased(valid, erased)
            metrics.events_repeated.add(sum(each.repeated for each in batch.counts.values()))
            count(evaluations)

        return Outcome(batch.dead_letters, committed)

    async def _catch_up(self, tx: AsyncConnection) -> None:
        """Take up what has changed in the model; states in memory may hold signals that were unknown when they were read."""
        if await self._duties.catch_up(tx):
            self._states.forget()

    async def _erase(self, tx: AsyncConnection, erasures: Collection[Decoded]) -> int:
        """Forget accounts, and tell so even of those we never knew: whoever reads us may know more than we do."""
        if not erasures:
            return 0
        accounts = {each.envelope.subject: each.record.offset for each in erasures}
        self._states.drop(accounts)
        erased = await self._accounts.erase(tx, accounts)
        await self._history.erase(tx, accounts)
        told = [erasure_messages(each.fact(), each.record.traceparent) for each in erasures]
        await self._outbox.add(tx, [message for messages in told for message in messages])
        return erased

    async def _catch_up_with(
        self, tx: AsyncConnection, touched: Iterable[Touched], now: datetime
    ) -> list[Evaluation]:
        """What another model makes of accounts is told before the facts that find them behind, and apart from these."""
        behind = [each for each in touched if 0 < each.state.model < each.model.number]
        if not behind:
            return []
        return await self._looking.look(tx, [(each, _model(each.model)) for each in behind], now)

    async def _take(self, tx: AsyncConnection, partitions: dict[str, int]) -> dict[str, Touched]:
        """The accounts' states, brought up to the models that judge them."""
        states = await self._states.take(tx, partitions)
        for number, duty in self._duties.behind():
            mine = {account: states[account] for account, each in partitions.items() if each == number}
            await self._duties.bring_up(tx, mine, duty)
        return {
            account: Touched(states[account], number, self._duties.of(number).model)
            for account, number in partitions.items()
        }

    # ---- timers

    def next_due(self) -> datetime | None:
        """When the next account of our partitions has to be looked at again."""
        return self._clock.now() if self._duties.stale or self._duties.behind() else self._next_due

    async def handle_due(
        self, tx: AsyncConnection, partitions: Sequence[Partition], now: datetime
    ) -> Outcome:
        """Evaluate the accounts that are due, then some of those that another model judged last.

        Cost grows with them, not with all accounts.
        """
        await self._catch_up(tx)
        numbers = [number for _, number in partitions]
        due = await self._accounts.due(tx, numbers, now, self._timer_batch)
        touched = await self._take(tx, {account: number for account, number, _ in due})
        evaluations = await self._looking.look(tx, [(each, _TIMER) for each in touched.values()], now)
        if len(due) < self._timer_batch:
            evaluations += await self._look_again(tx, now)
        next_due = await self._accounts.next_due(tx, numbers)

        def committed() -> None:
            self._next_due = next_due
            self._states.trim()
            for _, _, at in due:
                metrics.timer_lateness.record((now - at).total_seconds())
            count(evaluations)

        return Outcome((), committed)

    async def _look_again(self, tx: AsyncConnection, now: datetime) -> list[Evaluation]:
        """Some of the accounts that another model judged last."""
        for number, duty in self._duties.behind():
            model = duty.model
            behind = await self._accounts.behind(tx, number, model.number, self._timer_batch)
            if behind:
                touched = await self._take(tx, dict.fromkeys(behind, number))
                return await self._looking.look(tx, [(each, _model(model)) for each in touched.values()], now)
            self._duties.rested(duty)
        return []

    def forget(self) -> None:
        """The transaction failed: what is in memory is ahead of the database."""
        self._states.forget()
        self._sources.forget()
        self._duties.forget()

    def _expect(self, dues: Iterable[float | None]) -> None:
        known = [instant(each) for each in dues if each is not None]
        if self._next_due is not None:
            known.append(self._next_due)
        self._next_due = min(known, default=None)


def _facts(touched: Touched) -> Cause:
    told = touched.facts[-_FACTS_TOLD:]
    return Cause("facts", tuple([each.id for each in told]), touched.event_at, facts=told)


def _model(model: Model) -> Cause:
    return Cause(model.change, outreach=model.outreach)


def _fold(touched: Mapping[str, Touched], new: Sequence[Decoded]) -> list[Touched]:
    """Fold the facts into their accounts' states; the accounts that have changed."""
    for each in new:
        account = touched[each.envelope.subject]
        if is_afterthought(account.state, each):
            continue
        fact = each.fact()
        fold(account.model, account.state, fact)
        account.facts.append(fact)
        account.traceparent = each.record.traceparent or account.traceparent
        if account.event_at is None or fact.time > account.event_at:
            account.event_at = fact.time
    return [each for each in touched.values() if each.facts]
