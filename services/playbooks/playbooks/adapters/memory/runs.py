"""Runs and the results of their steps in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice, takewhile

from csm_common.errors import ConflictError
from playbooks.adapters.memory.state import State, active_pair
from playbooks.application.model import EVERYTHING
from playbooks.domain.program import PlainWait
from playbooks.domain.run import Run, StepResult


class MemoryRuns:
    """Implements ports.Runs. Transactions come one after the other, so nobody else ever has a run in hand."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._runs = state.runs
        self._results = state.results

    async def lock_active(self, account_ids: Collection[str]) -> list[Run]:
        """The active runs of the accounts, by id."""
        found = [run for each in set(account_ids) for run in self._runs.find("active", each)]
        return sorted(found, key=lambda run: run.id)

    async def starts_since(self, playbooks: Collection[str], since: datetime) -> Mapping[str, int]:
        """How many runs of each playbook were started after `since`; those without any are left out."""
        end = datetime.max.replace(tzinfo=since.tzinfo)
        counts = {each: self._state.started.count((each, since), (each, end)) for each in playbooks}
        return {name: number for name, number in counts.items() if number}

    async def due(self, now: datetime, limit: int) -> list[str]:
        """The longest due, without calls and suspects."""
        found = (
            run.id for run in self._due(now) if run.awaits != "call" and run.id not in self._state.suspects
        )
        return list(islice(found, limit))

    async def due_suspects(self, now: datetime) -> list[str]:
        """Those of one group."""
        suspects = self._state.suspects
        found = [run.id for run in self._due(now) if run.awaits != "call" and run.id in suspects]
        return [each for each in found if suspects[each] == suspects[found[0]]]

    async def end_waits(self, waits: Sequence[PlainWait], now: datetime, limit: int) -> Sequence[datetime]:
        """None: one by one is as fast here."""
        return []

    async def take(self, run_ids: Collection[str], now: datetime) -> list[Run]:
        """Those that are still due, the longest due first."""
        known = [self._runs[each] for each in set(run_ids) if each in self._runs]
        due = [(run.due_at, run.id) for run in known if run.due_at is not None and run.due_at <= now]
        found = [self._runs[run_id] for _, run_id in sorted(due)]
        return [run for run in found if run.awaits != "call"]

    async def take_calls(self, now: datetime, limit: int) -> list[Run]:
        """The longest due with a call to make."""
        return list(islice((run for run in self._due(now) if run.awaits == "call"), limit))

    async def lock(self, run_ids: Collection[str]) -> list[Run]:
        """Those of these runs that there are, ended or not, by id."""
        return [self._runs[each] for each in sorted(set(run_ids)) if each in self._runs]

    async def take_back(self, run_id: str, fence: int) -> list[Run]:
        """The run if it is out under the claim with this fence."""
        run = self._runs.get(run_id)
        mine = (
            run is not None and run.status == "active" and run.lease_until is not None and run.fence == fence
        )
        return [run] if run is not None and mine else []

    async def next_due(self) -> datetime | None:
        """When the next run of a playbook that is not paused is due."""
        return next((run.due_at for run in self._state.due if not self._paused(run)), None)

    async def add(self, runs: Sequence[Run]) -> None:
        """Write new runs; ValueError where one is there, or its account has an active run of the purpose."""
        for run in runs:
            if run.id in self._runs:
                raise ValueError(f"run {run.id} is there already")
            if self._rival(run):
                raise ValueError(f"{run.account_id} has an active run of the purpose {run.purpose} already")
            self._runs.put(run.id, run)

    async def update(self, runs: Sequence[Run]) -> None:
        """Write the new state. ConflictError where one becomes active beside another of its purpose.

        Whoever has ended a step is no suspect any more.
        """
        for run in runs:
            if run.id in self._state.suspects and run.position > self._runs[run.id].position:
                self._state.suspects.drop(run.id)
            if rival := self._rival(run):
                raise ConflictError(
                    f"Run {rival.id} of {run.account_id} is active and serves the same purpose, {run.purpose}."
                )
            self._runs.put(run.id, run)

    async def record(self, results: Sequence[StepResult]) -> None:
        """Write step results; ValueError where a step has one."""
        for each in results:
            if (each.run_id, each.position) in self._results:
                raise ValueError(f"step {each.step} of run {each.run_id} has a result already")
            self._results.put((each.run_id, each.position), each)

    async def results(self, run_ids: Collection[str]) -> Mapping[str, Mapping[str, StepResult]]:
        """Run → step → what became of it; runs without any are left out."""
        found = {
            run_id: {each.step: each for each in self._results.find("run", run_id)} for run_id in run_ids
        }
        return {run_id: results for run_id, results in found.items() if results}

    async def wake(self, account_ids: Collection[str], now: datetime) -> int:
        """Make the accounts' runs due that wait for a condition or are held back, where they are not."""
        woken = 0
        for run in await self.lock_active(account_ids):
            if run.awaits in ("condition", "hold") and run.due_at is not None and run.due_at > now:
                self._runs.put(run.id, replace(run, due_at=now))
                woken += 1
        return woken

    def _due(self, now: datetime) -> Iterator[Run]:
        """The due runs, the longest due first, but none of a paused playbook."""
        due = takewhile(lambda run: run.due_at is not None and run.due_at <= now, self._state.due)
        return (run for run in due if not self._paused(run))

    def _paused(self, run: Run) -> bool:
        switches = (self._state.switches.get(name) for name in (EVERYTHING, run.playbook))
        return any(each is not None and each.state == "paused" for each in switches)

    def _rival(self, run: Run) -> Run | None:
        """Another active run of the account and purpose, where this one is active."""
        pair = active_pair(run)
        rivals = [] if pair is None else self._runs.find("pair", pair)
        return next((each for each in rivals if each.id != run.id), None)
