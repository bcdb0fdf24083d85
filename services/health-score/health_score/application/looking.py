"""Looking at accounts: evaluate each once and write down what follows, whatever the reason for looking was."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.database.outbox import Message
from csm_common.telemetry import metrics
from health_score.application.messages import (
    crossing_message,
    encode_snapshot,
    instant,
    snapshot_message,
    snapshot_of,
    stored_crossings,
)
from health_score.application.ports import (
    AccountRepository,
    AccountRow,
    HistoryRepository,
    Outbox,
    StoredCrossing,
)
from health_score.domain.account import AccountState
from health_score.domain.evaluation import Cause, Evaluation, evaluate
from health_score.domain.fact import Fact
from health_score.domain.model import Model


@dataclass(slots=True)
class Touched:
    """An account of a batch: where it lives, by which model it is judged, its state, and what was folded into it."""

    state: AccountState
    partition: int
    model: Model
    facts: list[Fact] = field(default_factory=list)
    event_at: float | None = None
    traceparent: str | None = None


class Looking:
    """Evaluates accounts and writes states, histories, crossings and messages, each kind in one statement."""

    def __init__(
        self, accounts: AccountRepository, history: HistoryRepository, outbox: Outbox, *, rest_s: float
    ) -> None:
        """After facts an account is foretold for `rest_s` seconds or a little more, since more are likely; once it has rested,
        for good."""
        self._rest_s = rest_s
        self._accounts = accounts
        self._history = history
        self._outbox = outbox

    def _rest_of(self, touched: Touched) -> float:
        """Once to twice the rest, so that accounts told of in one moment are not all looked at again in another."""
        return self._rest_s * (1.0 + crc32(touched.state.account_id.encode()) / 2**32)

    async def look(
        self, tx: AsyncConnection, looks: Iterable[tuple[Touched, Cause]], now: datetime
    ) -> list[Evaluation]:
        """Evaluate the accounts, each for its cause, and write everything down."""
        written, evaluations = _Written(), []
        for touched, cause in looks:
            attributes_changed = touched.state.attributes_changed
            rest_s = self._rest_of(touched) if cause.kind == "facts" else None
            found = evaluate(touched.model, touched.state, now.timestamp(), cause, rest_s)
            evaluations += found
            snapshot = None
            for each in found:
                snapshot = written.take(touched, each) or snapshot
            due = None if found[-1].due is None else instant(found[-1].due)
            written.rows.append(
                AccountRow(touched.state, touched.partition, snapshot, due, attributes_changed)
            )
        await self._accounts.save(tx, written.rows)
        await self._history.add(tx, written.changes, written.crossings)
        await self._outbox.add(tx, written.messages)
        return evaluations


@dataclass(slots=True)
class _Written:
    """What a round of looks has to write."""

    rows: list[AccountRow] = field(default_factory=list)
    changes: list[Evaluation] = field(default_factory=list)
    crossings: list[StoredCrossing] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def take(self, touched: Touched, found: Evaluation) -> bytes | None:
        """What follows from one evaluation; the snapshot as JSON if there is a new one."""
        if not found.changed:
            return None
        snapshot = snapshot_of(touched.state, found)
        encoded = encode_snapshot(snapshot)
        crossings = stored_crossings(snapshot, found, touched.state.erased_revision)
        self.changes.append(found)
        self.crossings += crossings
        self.messages.append(snapshot_message(snapshot, encoded, touched.traceparent))
        self.messages += [crossing_message(each, touched.traceparent) for each in crossings]
        return encoded


def count(evaluations: Sequence[Evaluation]) -> None:
    """Tell the metrics of the crossings, once it is certain that they last."""
    crossed = Counter((each.threshold, each.direction) for found in evaluations for each in found.crossings)
    for (threshold, direction), times in crossed.items():
        metrics.crossings_announced.add(times, {"threshold": threshold, "direction": direction})
