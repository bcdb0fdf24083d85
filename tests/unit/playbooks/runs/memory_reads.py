"""Reads over the store in memory; keeps the same contract as the one on PostgreSQL."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.application.model import EVERYTHING, Entry
from playbooks.application.reads import After, EntryFilter, RunFilter, RunStory, entry_key
from playbooks.domain.run import Run


class MemoryReads:
    """Implements reads.Reads. While `away` is set every query fails with it."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._state = database.state
        self.away: Exception | None = None

    async def runs(self, wanted: RunFilter, limit: int, after: After) -> list[Run]:
        self._ask()
        keyed = [((run.started_at, run.id), run) for run in self._wanted(wanted)]
        return _page(keyed, limit, after)

    async def count(self, wanted: RunFilter) -> int:
        self._ask()
        return len(self._wanted(wanted))

    async def entries(self, wanted: EntryFilter, limit: int, after: After) -> list[Entry]:
        self._ask()
        given = {
            name: value for name, value in asdict(wanted).items() if value is not None and name != "since"
        }
        keyed = [
            ((entry.decided_at, entry_key(entry)), entry)
            for entry in self._state.entries.values()
            if all(getattr(entry, name) == value for name, value in given.items())
            and (wanted.since is None or entry.decided_at >= wanted.since)
        ]
        return _page(keyed, limit, after)

    async def run(self, run_id: str) -> RunStory | None:
        self._ask()
        state, run = self._state, self._state.runs.get(run_id)
        if run is None:
            return None
        crossing = state.crossings[run.crossing_id].crossing
        newest = state.snapshots.get(run.account_id)
        results = sorted(state.results.find("run", run_id), key=lambda each: each.position)
        led_to = {each.ref for each in results}
        tasks = [each for each in state.tasks.values() if each.run_id == run_id or each.id in led_to]
        switches = [state.switches.get(name) for name in (EVERYTHING, run.playbook)]
        return RunStory(
            run=run,
            definition=state.versions[run.playbook, run.version].playbook.definition,
            crossing=crossing,
            exit_crossing=state.crossings[run.exit_crossing_id].crossing if run.exit_crossing_id else None,
            results=results,
            trial=state.trials.get(run_id),
            last_entry=max(self._entered_before(run), default=None),
            replaced=[each for each in self._peers(run) if _takes_place(run, each)],
            replaced_by=next((each for each in self._peers(run) if _takes_place(each, run)), None),
            snapshots={
                each.revision: each for each in (crossing.snapshot, *([newest.snapshot] if newest else []))
            },
            tasks={each.id: each for each in tasks},
            approvals=sorted(state.approvals.find("run", run_id), key=lambda each: each.asked_at),
            audited=[each for _, each in sorted(state.audit.items()) if each.subject == f"run:{run_id}"],
            pause=next((each for each in switches if each and each.state == "paused"), None),
            alone=bool(state.alone.get(run_id)),
        )

    def _entered_before(self, run: Run) -> Iterable[Any]:
        for trial in self._state.trials.values():
            mine = (trial.account_id, trial.playbook) == (run.account_id, run.playbook)
            if mine and trial.entered_at < run.started_at:
                yield trial.entered_at

    def _peers(self, run: Run) -> list[Run]:
        mine = (run.account_id, run.purpose)
        return [each for each in self._state.runs.values() if (each.account_id, each.purpose) == mine]

    def _wanted(self, wanted: RunFilter) -> list[Run]:
        return [run for run in self._state.runs.values() if _is(run, wanted)]

    def _ask(self) -> None:
        if self.away is not None:
            raise self.away


_OWN = {"started_from", "started_to", "held", "failed", "step"}


def _is(run: Run, wanted: RunFilter) -> bool:
    given = {name: value for name, value in asdict(wanted).items() if value is not None}
    return (
        all(getattr(run, name) == value for name, value in given.items() if name not in _OWN)
        and wanted.step in (None, run.step if run.status == "active" else "")
        and wanted.held in (None, run.held is not None)
        and wanted.failed in (None, run.failures > 0)
        and (wanted.started_from is None or run.started_at >= wanted.started_from)
        and (wanted.started_to is None or run.started_at < wanted.started_to)
    )


def _takes_place(winner: Run, loser: Run) -> bool:
    return winner.priority > loser.priority and loser.exit_crossing_id == winner.crossing_id


def _page(keyed: Sequence[tuple[Any, Any]], limit: int, after: After) -> list[Any]:
    older = [each for each in keyed if after is None or each[0] < after]
    return [row for _, row in sorted(older, key=lambda each: each[0], reverse=True)[:limit]]
