"""A playbook over crossings of the past: who would have entered when, what would have been asked for, and at which hour most."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Protocol

from playbooks.application.model import Entry, Playbook, ReceivedCrossing, ReceivedSnapshot
from playbooks.application.reads import EntryFilter, RunFilter
from playbooks.application.simulation import News, Simulator
from playbooks.domain.run import Run

ALL = 10**9

STATES_AT_CROSSINGS = "The state of an account is known at its crossings alone: what came true between two of them is seen late."


class Past(Protocol):
    """The crossings that are stored."""

    async def page(
        self, since: datetime, before: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[ReceivedCrossing]:
        """The first `limit` that happened from `since` to before `before`, behind the key `after`, by time and id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """An hour (UTC, by its beginning) and how many there were in it."""

    hour: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a step would have asked for over the whole time: `what` is its template, task type or endpoint."""

    step: str
    kind: str
    what: str
    count: int
    peak: Hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """One account that would have entered, and what became of its run."""

    at: datetime
    account_id: str
    status: str
    reason: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`crossings` were read, `triggers` of them were the playbook's own. `complete` is False where `limit` cut the time short: it
    then ends at `until`. Runs that were not over by then count as active; `ended_by` has the most frequent reasons of others."""

    playbook: str
    version: int
    since: datetime
    until: datetime
    complete: bool
    crossings: int
    accounts: int
    triggers: int
    entered: int
    held_out: int
    refused: Mapping[str, int]
    starts_by_hour: Sequence[Hour]
    peak_starts: Hour | None
    asked: Sequence[Asked]
    peak_messages: Hour | None
    runs: Mapping[str, int]
    ended_by: Mapping[str, int]
    first: Sequence[Entrance]
    notes: Sequence[str] = field(default_factory=list)


@dataclass(slots=True)
class Replay:
    """Feeds crossings as if each had been read when it happened, then tells what came of them."""

    simulator: Simulator
    playbook: Playbook
    crossings: int = 0
    accounts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.simulator.sandbox.install(self.playbook, active=True)

    async def feed(self, received: Sequence[ReceivedCrossing]) -> None:
        """Crossings in the order of their instants, none before those fed already."""
        for at, told in groupby(received, key=lambda each: each.crossing.occurred_at):
            crossings = list(told)
            snapshots = [ReceivedSnapshot(snapshot=each.crossing.snapshot, data=b"") for each in crossings]
            await self.simulator.advance(at)
            await self.simulator.feed(News(snapshots=snapshots, crossings=crossings))
        self.crossings += len(received)
        self.accounts |= {each.crossing.account_id for each in received}

    async def end(self, since: datetime, until: datetime, *, complete: bool, first: int) -> History:
        """Go on until `until`, then add it all up; `first` is how many entrances to tell one by one."""
        await self.simulator.advance(until)
        reads, name = self.simulator.sandbox.reads, self.playbook.name
        entries = await reads.entries(EntryFilter(playbook=name), ALL, None)
        runs = await reads.runs(RunFilter(playbook=name), ALL, None)
        starts = Counter(_hour(run.started_at) for run in runs)
        messages = Counter(_hour(at) for _, kind, _, at in self._effects() if kind == "notify")
        return History(
            playbook=name,
            version=self.playbook.version,
            since=since,
            until=until,
            complete=complete,
            crossings=self.crossings,
            accounts=len(self.accounts),
            triggers=len(entries),
            entered=len(runs),
            held_out=sum(each.outcome == "held_out" for each in entries),
            refused=_refused(entries),
            starts_by_hour=[Hour(hour=hour, count=count) for hour, count in sorted(starts.items())],
            peak_starts=_peak(starts),
            asked=self._asked(),
            peak_messages=_peak(messages),
            runs=dict(Counter(run.status for run in runs)),
            ended_by=dict(Counter(_why(run) for run in runs if run.status != "active").most_common(20)),
            first=[_entrance(run) for run in list(reversed(runs))[:first]],
            notes=[STATES_AT_CROSSINGS, *_pauses(entries)],
        )

    def _asked(self) -> list[Asked]:
        hours: dict[tuple[str, str, str], Counter[datetime]] = defaultdict(Counter)
        for step, kind, what, at in self._effects():
            hours[step, kind, what][_hour(at)] += 1
        return [
            Asked(step=step, kind=kind, what=what, count=sum(each.values()), peak=peak)
            for (step, kind, what), each in sorted(hours.items())
            if (peak := _peak(each)) is not None
        ]

    def _effects(self) -> Iterator[tuple[str, str, str, datetime]]:
        name, simulator = self.playbook.name, self.simulator
        for request in simulator.requests:
            if request.playbook == name:
                yield request.step, "notify", request.template, request.requested_at
        for call in simulator.endpoints.called:
            if call.body["playbook"] == name:
                yield str(call.body["step"]), "webhook", call.endpoint, call.at
        for task in simulator.sandbox.tasks():
            if task.playbook == name:
                yield task.step or "", "task", task.type, task.created_at


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _peak(hours: Counter[datetime]) -> Hour | None:
    """The fullest hour, the first of several."""
    if not hours:
        return None
    hour = min(hours, key=lambda each: (-hours[each], each))
    return Hour(hour=hour, count=hours[hour])


def _refused(entries: Iterable[Entry]) -> dict[str, int]:
    return dict(Counter(str(each.code) for each in entries if each.outcome == "refused").most_common())


def _pauses(entries: Sequence[Entry]) -> list[str]:
    """The playbook pauses itself at the first refusal for its limit."""
    at = min((each.decided_at for each in entries if each.code == "limit"), default=None)
    if at is None:
        return []
    return [
        f"The playbook would have paused itself at {at:%Y-%m-%dT%H:%M:%SZ}, over its limit: nothing started from then on."
    ]


def _why(run: Run) -> str:
    """Why it ended, without the values of the one account."""
    reason = run.reason or run.status
    return (
        reason if run.exit_crossing_id is None or reason.startswith("exit_when") else reason.partition(":")[0]
    )


def _entrance(run: Run) -> Entrance:
    return Entrance(
        at=run.started_at,
        account_id=run.account_id,
        status=run.status,
        reason=run.reason,
        ended_at=run.ended_at,
    )
