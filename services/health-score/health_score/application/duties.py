"""Which model judges each of our partitions, and what is folded there besides for a model that is to follow.

A model whose signals are all being folded already takes over at once. One with new signals needs the past: from the moment
it is seen its signals are folded from every new fact, while a refold of the partition's log gives them what came before;
when that is done the model takes over. Either way its accounts are then looked at again, a few at a time, while facts go on
flowing. A refold only begins once no account is behind the model before: one that is may still hold, of a signal that this
model left out and the next one reads again, what the refold would give it once more.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.application.model_ports import ModelRepository, Refold
from health_score.application.models import Models
from health_score.application.ports import AccountRepository
from health_score.domain.account import AccountState, join
from health_score.domain.model import Model, folding_also


@dataclass(slots=True)
class Duty:
    """What holds in one partition. `behind`: there may be accounts that another model judged last. `waits`: another model is to
    follow once there are none."""

    model: Model
    behind: bool = True
    waits: bool = False


class Duties:
    """The duties of the partitions that are ours; `stale` until they are read (again)."""

    def __init__(self, repository: ModelRepository, accounts: AccountRepository, models: Models) -> None:
        self._repository = repository
        self._accounts = accounts
        self._models = models
        self._partitions: Collection[int] = ()
        self._duties: dict[int, Duty] = {}
        self.stale = True

    def claimed(self, partitions: Collection[int]) -> None:
        """These partitions are ours now, and no others."""
        self._partitions, self._duties, self.stale = partitions, {}, True

    def forget(self) -> None:
        """The transaction failed: what was taken up in it was not, and who was brought up in it is behind again."""
        self.claimed(self._partitions)

    def rested(self, duty: Duty) -> None:
        """Nobody is behind the partition's model any more."""
        duty.behind = False
        self.stale = self.stale or duty.waits

    def look_out(self) -> None:
        """Something may have changed: read it before the next transaction."""
        self.stale = True

    def of(self, partition: int) -> Duty:
        """The duty of one partition."""
        return self._duties[partition]

    def behind(self) -> list[tuple[int, Duty]]:
        """The partitions whose accounts have to be looked at again."""
        return [(partition, duty) for partition, duty in self._duties.items() if duty.behind]

    async def catch_up(self, tx: AsyncConnection) -> bool:
        """Take up what has changed, as part of the transaction; whether states in memory were read for another model."""
        if not self.stale:
            return False
        await self._models.load(tx)
        judging = await self._repository.judging(tx, self._partitions)
        refolds: dict[int, Refold] = {}
        for each in await self._repository.refolds(tx, self._partitions):
            refolds[each.partition] = each  # the newest; an older one is done
        for partition in self._partitions:
            duty = await self._duty(tx, partition, judging.get(partition), refolds.get(partition))
            known = self._duties.get(partition)
            if known is not None and known.model.number == duty.model.number:
                duty.behind = known.behind
            self._duties[partition] = duty
        self.stale = False
        return True

    async def _duty(
        self, tx: AsyncConnection, partition: int, number: int | None, refold: Refold | None
    ) -> Duty:
        latest = self._models.latest
        if number is None:
            await self._repository.judge_by(tx, partition, latest.number)
            return Duty(latest)
        if refold is not None and refold.model > number:
            if not refold.done:
                return Duty(self._meanwhile(number, self._models.at(refold.model)))
            number = refold.model
            await self._repository.judge_by(tx, partition, number)
        model = self._models.at(number)
        if latest.number == number:
            return Duty(model)
        if latest.signals.keys() <= model.signals.keys():
            await self._repository.judge_by(tx, partition, latest.number)
            return Duty(latest)
        if await self._accounts.behind(tx, partition, number, 1):
            return Duty(replace(model, silences=latest.silences), waits=True)
        await self._repository.begin_refold(tx, partition, latest.number)
        return Duty(self._meanwhile(number, latest))

    def _meanwhile(self, number: int, next_one: Model) -> Model:
        """The model that judges until the next one has its past. Sources that are silent meanwhile are heeded at once."""
        model = replace(self._models.at(number), silences=self._models.latest.silences)
        return folding_also(model, next_one.signals)

    async def bring_up(self, tx: AsyncConnection, states: Mapping[str, AccountState], duty: Duty) -> None:
        """Give accounts of a partition that another model judged last what was folded anew, and drop what nobody reads now."""
        old = {account: each for account, each in states.items() if each.model < duty.model.number}
        if not duty.behind or not old:
            return
        refolded = await self._repository.take_refolded(tx, list(old), duty.model.number)
        for account, state in old.items():
            _merge(duty.model, state, refolded.get(account))


def _merge(model: Model, state: AccountState, past: AccountState | None) -> None:
    if past is not None:
        join(model, state, past)
    if state.model:
        state.signals = {key: each for key, each in state.signals.items() if key in model.signals}
        state.trails = {key: each for key, each in state.trails.items() if key in model.feed_keys}
