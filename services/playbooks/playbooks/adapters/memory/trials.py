"""Trials in memory."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from playbooks.adapters.memory.state import State
from playbooks.domain.trial import Trial


class MemoryTrials:
    """Implements ports.Trials."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._trials = state.trials

    async def add(self, trials: Sequence[Trial]) -> None:
        """Write them down; ValueError where one is there."""
        for each in trials:
            if each.id in self._trials:
                raise ValueError(f"trial {each.id} is there already")
            self._trials.put(each.id, each)

    async def update(self, trials: Sequence[Trial]) -> None:
        """Write what has become of them."""
        for each in trials:
            self._trials.put(each.id, each)

    async def unfinished(self, account_ids: Collection[str], now: datetime) -> list[Trial]:
        """Trials of the accounts whose goal is open in its window, or that have not recovered."""
        found = [trial for each in set(account_ids) for trial in self._trials.find("account", each)]
        watched = [trial for trial in found if trial.recovered_at is None or _goal_open(trial, now)]
        return sorted(watched, key=lambda trial: (trial.entered_at, trial.id))

    async def last_entries(self, account_ids: Collection[str]) -> Mapping[tuple[str, str], datetime]:
        """Account and playbook → when it last was held out, or began a run that took a step."""
        last: dict[tuple[str, str], datetime] = {}
        for account in set(account_ids):
            runs = [each for each in self._state.runs.find("account", account) if each.position > 0]
            trials = [each for each in self._trials.find("account", account) if each.arm == "held_out"]
            entered = [(each.playbook, each.started_at) for each in runs]
            for playbook, at in (*entered, *((each.playbook, each.entered_at) for each in trials)):
                last[account, playbook] = max(at, last.get((account, playbook), at))
        return last


def _goal_open(trial: Trial, now: datetime) -> bool:
    return trial.goal_reached_at is None and trial.window_ends_at is not None and now <= trial.window_ends_at
