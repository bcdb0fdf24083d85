"""The ports in memory: transactions on a copy that takes the original's place when they commit."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from csm_common.contracts.health import AccountSnapshot
from csm_common.contracts.topics import NOTIFICATION_REQUESTS
from csm_common.database.outbox import Message
from playbooks.adapters.audience import compile_audience
from playbooks.adapters.definitions import content_hash, encode_definition
from playbooks.application.model import Entry, Playbook, PlaybookKey, ReceivedCrossing, ReceivedSnapshot, Task
from playbooks.application.reads import After, PlaybookVersion, RunFilter, RunStory, TaskFilter, entry_key
from playbooks.domain.definition import Definition
from playbooks.domain.run import Run, StepResult

RowT = TypeVar("RowT")


@dataclass(slots=True)
class State:
    """All tables."""

    versions: dict[PlaybookKey, PlaybookVersion] = field(default_factory=dict)
    snapshots: dict[str, ReceivedSnapshot] = field(default_factory=dict)
    crossings: dict[str, ReceivedCrossing] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    results: dict[tuple[str, int], StepResult] = field(default_factory=dict)
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)

    def copied(self) -> "State":
        """The same rows in tables of their own."""
        return State(**{each.name: copy(getattr(self, each.name)) for each in fields(self)})


class MemoryPlaybooks:
    """Implements ports.Playbooks."""

    def __init__(self, state: State) -> None:
        self._versions = state.versions

    async def publish(self, definitions: Sequence[Definition], now: datetime) -> Sequence[PlaybookKey]:
        for key, known in self._versions.items():
            self._versions[key] = replace(known, active=False)
        return [(each.name, self._publish(each, now)) for each in definitions]

    def _publish(self, definition: Definition, now: datetime) -> int:
        digest = content_hash(encode_definition(definition))
        mine = [each for each in self._versions.values() if each.name == definition.name]
        same = next((each for each in mine if each.hash == digest), None)
        version = same or PlaybookVersion(
            name=definition.name,
            version=len(mine) + 1,
            title=definition.title,
            active=True,
            hash=digest,
            created_at=now,
            definition=definition,
        )
        self._versions[version.name, version.version] = replace(version, active=True)
        return version.version

    async def active(self) -> Sequence[Playbook]:
        return [_ready(each) for key, each in sorted(self._versions.items()) if each.active]

    async def load(self, keys: Collection[PlaybookKey]) -> Mapping[PlaybookKey, Playbook]:
        return {key: _ready(self._versions[key]) for key in keys}


def _ready(version: PlaybookVersion) -> Playbook:
    audience = compile_audience(version.definition.audience)
    return Playbook(version=version.version, definition=version.definition, audience=audience)


class MemoryAccounts:
    """Implements ports.Accounts."""

    def __init__(self, state: State) -> None:
        self._snapshots = state.snapshots

    async def save(self, received: Sequence[ReceivedSnapshot]) -> None:
        for each in received:
            known = self._snapshots.get(each.snapshot.account_id)
            if known is None or known.snapshot.revision < each.snapshot.revision:
                self._snapshots[each.snapshot.account_id] = each

    async def remove(self, account_ids: Collection[str]) -> None:
        for each in account_ids:
            self._snapshots.pop(each, None)

    async def newest(self, account_ids: Collection[str]) -> Mapping[str, AccountSnapshot]:
        return {each: self._snapshots[each].snapshot for each in account_ids if each in self._snapshots}


class MemoryCrossings:
    """Implements ports.Crossings."""

    def __init__(self, state: State) -> None:
        self._crossings = state.crossings

    async def remember(self, received: Sequence[ReceivedCrossing], now: datetime) -> list[ReceivedCrossing]:
        fresh = []
        for each in received:
            if each.id not in self._crossings:
                self._crossings[each.id] = each
                fresh.append(each)
        return fresh

    async def load(self, ids: Collection[str]) -> Mapping[str, ReceivedCrossing]:
        return {each: self._crossings[each] for each in ids if each in self._crossings}


class MemoryRuns:
    """Implements ports.Runs."""

    def __init__(self, state: State) -> None:
        self._runs = state.runs
        self._results = state.results

    async def lock_active(self, account_ids: Collection[str]) -> list[Run]:
        return [run for run in self._active() if run.account_id in account_ids]

    async def last_starts(self, account_ids: Collection[str]) -> dict[tuple[str, str], datetime]:
        starts: dict[tuple[str, str], datetime] = {}
        for run in self._runs.values():
            if run.account_id in account_ids and run.position > 0:
                key = (run.account_id, run.playbook)
                starts[key] = max(run.started_at, starts.get(key, run.started_at))
        return starts

    async def take_due(self, now: datetime, limit: int) -> list[Run]:
        due = [(run.due_at, run) for run in self._active() if run.due_at is not None and run.due_at <= now]
        return [run for _, run in sorted(due, key=lambda each: each[0])][:limit]

    async def take(self, run_id: str, now: datetime) -> list[Run]:
        return [run for run in await self.take_due(now, len(self._runs)) if run.id == run_id]

    async def next_due(self) -> datetime | None:
        return min((run.due_at for run in self._active() if run.due_at is not None), default=None)

    async def add(self, runs: Sequence[Run]) -> None:
        for run in runs:
            if run.id in self._runs:
                raise ValueError(f"run {run.id} is there already")
            self._put(run)

    async def update(self, runs: Sequence[Run]) -> None:
        for run in runs:
            self._put(run)

    def _put(self, run: Run) -> None:
        twins = [each for each in self._active() if _pair(each) == _pair(run) and each.id != run.id]
        if run.status == "active" and twins:
            raise ValueError(f"{_pair(run)} has an active run already")
        self._runs[run.id] = run

    async def record(self, results: Sequence[StepResult]) -> None:
        for each in results:
            if (each.run_id, each.position) in self._results:
                raise ValueError(f"step {each.step} of run {each.run_id} has a result already")
            self._results[each.run_id, each.position] = each

    def _active(self) -> list[Run]:
        return [run for run in self._runs.values() if run.status == "active"]


def _pair(run: Run) -> tuple[str, str]:
    return run.account_id, run.playbook


class MemoryEntries:
    """Implements ports.Entries."""

    def __init__(self, state: State) -> None:
        self._entries = state.entries

    async def add(self, entries: Sequence[Entry]) -> None:
        for each in entries:
            if (each.crossing_id, each.playbook) in self._entries:
                raise ValueError(f"crossing {each.crossing_id} was decided for {each.playbook} already")
            self._entries[each.crossing_id, each.playbook] = each


class MemoryTasks:
    """Implements ports.Tasks."""

    def __init__(self, state: State) -> None:
        self._tasks = state.tasks

    async def open(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        return {task.id: self._open(task) for task in tasks}

    def _open(self, task: Task) -> str:
        key = (task.account_id, task.type, task.reason)
        for known in self._tasks.values():
            if known.status == "open" and (known.account_id, known.type, known.reason) == key:
                self._tasks[known.id] = replace(
                    known,
                    title=task.title,
                    owner=task.owner or known.owner,
                    due_at=min(known.due_at, task.due_at),
                    run_id=task.run_id,
                    updated_at=task.updated_at,
                    asked=known.asked + 1,
                )
                return known.id
        self._tasks[task.id] = task
        return task.id


class MemoryErasures:
    """Implements ports.Erasures."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def of_accounts(self, account_ids: Collection[str]) -> Mapping[str, int]:
        state = self._state
        runs = {run.id for run in state.runs.values() if run.account_id in account_ids}
        keys = {each.encode() for each in account_ids}
        left = [
            each
            for each in state.messages
            if each.topic != NOTIFICATION_REQUESTS.name or each.key not in keys
        ]
        counts = {
            "steps": _drop(state.results, lambda each: each.run_id in runs),
            "tasks": _drop(state.tasks, lambda each: each.account_id in account_ids),
            "entries": _drop(state.entries, lambda each: each.account_id in account_ids),
            "runs": _drop(state.runs, lambda each: each.account_id in account_ids),
            "crossings": _drop(state.crossings, lambda each: each.crossing.account_id in account_ids),
            "requests": len(state.messages) - len(left),
        }
        state.messages[:] = left
        return counts


def _drop(rows: dict[Any, RowT], goes: Callable[[RowT], bool]) -> int:
    gone = [key for key, row in rows.items() if goes(row)]
    for key in gone:
        del rows[key]
    return len(gone)


class MemoryOutbox:
    """Implements ports.Outbox."""

    def __init__(self, state: State) -> None:
        self._messages = state.messages

    async def add(self, messages: Sequence[Message]) -> None:
        self._messages.extend(messages)


class MemoryStore:
    """Implements ports.Store."""

    def __init__(self, state: State) -> None:
        self.playbooks = MemoryPlaybooks(state)
        self.accounts = MemoryAccounts(state)
        self.crossings = MemoryCrossings(state)
        self.runs = MemoryRuns(state)
        self.entries = MemoryEntries(state)
        self.tasks = MemoryTasks(state)
        self.erasures = MemoryErasures(state)
        self.outbox = MemoryOutbox(state)


class MemoryDatabase:
    """Implements ports.Transactions. `crash` is raised, once, where the next transaction that would commit commits."""

    def __init__(self) -> None:
        self.state = State()
        self.crash: Exception | None = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryStore]:
        draft = self.state.copied()
        yield MemoryStore(draft)
        if self.crash is not None:
            crash, self.crash = self.crash, None
            raise crash
        self.state = draft


class MemoryReads:
    """Implements reads.Reads. While `away` is set every query fails with it."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self.away: Exception | None = None

    @property
    def _state(self) -> State:
        if self.away is not None:
            raise self.away
        return self._database.state

    async def runs(self, wanted: RunFilter, limit: int, after: After) -> list[tuple[Run, Definition]]:
        found = [
            run
            for run in self._state.runs.values()
            if wanted.account_id in (None, run.account_id)
            and wanted.playbook in (None, run.playbook)
            and wanted.status in (None, run.status)
            and (after is None or (run.started_at, run.id) < after)
        ]
        found.sort(key=lambda run: (run.started_at, run.id), reverse=True)
        return [(run, self._definition(run)) for run in found[:limit]]

    async def run(self, run_id: str) -> RunStory | None:
        run = self._state.runs.get(run_id)
        if run is None:
            return None
        crossings = self._state.crossings
        return RunStory(
            run=run,
            definition=self._definition(run),
            crossing=crossings[run.crossing_id].crossing,
            exit_crossing=crossings[run.exit_crossing_id].crossing if run.exit_crossing_id else None,
            results=[each for key, each in sorted(self._state.results.items()) if key[0] == run_id],
        )

    def _definition(self, run: Run) -> Definition:
        return self._state.versions[run.playbook, run.version].definition

    async def tasks(self, wanted: TaskFilter, limit: int, after: After) -> list[Task]:
        found = [
            task
            for task in self._state.tasks.values()
            if wanted.account_id in (None, task.account_id)
            and wanted.owner in (None, task.owner)
            and wanted.status in (None, task.status)
            and (after is None or (task.created_at, task.id) < after)
        ]
        return sorted(found, key=lambda task: (task.created_at, task.id), reverse=True)[:limit]

    async def task(self, task_id: str) -> Task | None:
        return self._state.tasks.get(task_id)

    async def entries(self, account_id: str | None, limit: int, after: After) -> list[Entry]:
        found = [
            entry
            for entry in self._state.entries.values()
            if account_id in (None, entry.account_id)
            and (after is None or (entry.decided_at, entry_key(entry)) < after)
        ]
        return sorted(found, key=lambda each: (each.decided_at, entry_key(each)), reverse=True)[:limit]

    async def playbooks(self) -> list[PlaybookVersion]:
        return sorted(self._state.versions.values(), key=lambda each: (each.name, -each.version))
