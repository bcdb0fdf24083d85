"""What readers ask of runs, in memory: over what lasts, as it is when they ask."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from playbooks.adapters.memory.state import State
from playbooks.application.model import EVERYTHING, Entry, Switch, Task
from playbooks.application.reads import After, EntryFilter, RunFilter, RunStory, entry_key
from playbooks.domain.run import Run

_PLAIN = frozenset(("account_id", "playbook", "version", "status", "purpose", "awaits", "outcome", "code"))


class MemoryReads:
    """Implements reads.Reads. While `away` is set every query fails with it."""

    def __init__(self, state: State) -> None:
        self._tables = state
        self.away: Exception | None = None

    @property
    def _state(self) -> State:
        if self.away is not None:
            raise self.away
        return self._tables

    async def runs(self, wanted: RunFilter, limit: int, after: After) -> list[Run]:
        """Runs by start."""
        found = [run for run in self._matching(wanted) if after is None or (run.started_at, run.id) < after]
        return sorted(found, key=lambda run: (run.started_at, run.id), reverse=True)[:limit]

    async def count(self, wanted: RunFilter) -> int:
        """How many runs there are of these."""
        return len(self._matching(wanted))

    async def run(self, run_id: str) -> RunStory | None:
        """One run with all that is known of it, or None."""
        run = self._state.runs.get(run_id)
        return None if run is None else self._story(run)

    async def entries(self, wanted: EntryFilter, limit: int, after: After) -> list[Entry]:
        """Entries by decision."""
        found = [
            entry
            for entry in self._state.entries.values()
            if _is(entry, wanted)
            and (wanted.since is None or entry.decided_at >= wanted.since)
            and (after is None or (entry.decided_at, entry_key(entry)) < after)
        ]
        return sorted(found, key=lambda each: (each.decided_at, entry_key(each)), reverse=True)[:limit]

    def _matching(self, wanted: RunFilter) -> list[Run]:
        runs = self._state.runs.values()
        started = {
            each.run_id for each in self._state.entries.values() if each.crossing_id == wanted.crossing_id
        }
        return [
            run
            for run in runs
            if _is(run, wanted)
            and (wanted.step is None or (run.status == "active" and run.step == wanted.step))
            and wanted.held in (None, run.held is not None)
            and wanted.failed in (None, run.failures > 0)
            and (wanted.started_from is None or run.started_at >= wanted.started_from)
            and (wanted.started_to is None or run.started_at < wanted.started_to)
            and (wanted.crossing_id is None or run.id in started)
        ]

    def _story(self, run: Run) -> RunStory:
        state = self._state
        crossing = state.crossings[run.crossing_id].crossing
        exit_crossing = state.crossings.get(run.exit_crossing_id or "")
        newest = state.snapshots.get(run.account_id)
        known = [crossing.snapshot, *([newest.snapshot] if newest is not None else [])]
        results = sorted(state.results.find("run", run.id), key=lambda each: each.position)
        return RunStory(
            run=run,
            definition=state.versions[run.playbook, run.version].playbook.definition,
            crossing=crossing,
            exit_crossing=None if exit_crossing is None else exit_crossing.crossing,
            results=results,
            trial=state.trials.get(run.id),
            last_entry=self._last_entry(run),
            replaced=[
                each
                for each in self._rivals(run)
                if each.priority < run.priority and each.exit_crossing_id == run.crossing_id
            ],
            replaced_by=next(
                (
                    each
                    for each in self._rivals(run)
                    if each.priority > run.priority and each.crossing_id == run.exit_crossing_id
                ),
                None,
            ),
            snapshots={each.revision: each for each in known},
            tasks=self._tasks(run, [each.ref for each in results if each.kind == "task"]),
            approvals=sorted(state.approvals.find("run", run.id), key=lambda each: each.asked_at),
            audited=[each for _, each in sorted(state.audit.items()) if each.subject == f"run:{run.id}"],
            pause=self._pause(run),
            suspected=run.id in state.suspects,
        )

    def _last_entry(self, run: Run) -> datetime | None:
        trials = self._state.trials.find("account", run.account_id)
        before = [
            each.entered_at
            for each in trials
            if each.playbook == run.playbook and each.entered_at < run.started_at
        ]
        return max(before, default=None)

    def _rivals(self, run: Run) -> list[Run]:
        runs = self._state.runs.find("account", run.account_id)
        return [each for each in runs if each.purpose == run.purpose and each.id != run.id]

    def _tasks(self, run: Run, refs: Sequence[str | None]) -> dict[str, Task]:
        tasks = self._state.tasks.find("account", run.account_id)
        return {each.id: each for each in tasks if each.run_id == run.id or each.id in refs}

    def _pause(self, run: Run) -> Switch | None:
        thrown = [self._state.switches.get(name) for name in (run.playbook, EVERYTHING)]
        paused = [each for each in thrown if each is not None and each.state == "paused"]
        return min(paused, key=lambda each: each.at, default=None)


def _is(row: Run | Entry, wanted: RunFilter | EntryFilter) -> bool:
    """Whether the row has all that is asked for and stands in it as it is."""
    asked: list[tuple[str, Any]] = [
        (each.name, getattr(wanted, each.name)) for each in fields(wanted) if each.name in _PLAIN
    ]
    return all(value is None or getattr(row, name) == value for name, value in asked)
