"""Crossings in: each ends the runs it is an exit of and starts the runs it is a trigger of, once however often it comes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from csm_common.ids import derived_id
from playbooks.application.model import Entry, Playbook, PlaybookKey, ReceivedCrossing
from playbooks.application.ports import Store
from playbooks.application.wording import crossing_told
from playbooks.domain.entry import NO_NEWS, Refusal, refusal
from playbooks.domain.run import Run, exit_run


@dataclass(frozen=True, slots=True)
class Changes:
    """The runs a batch of crossings started and those it ended, as they were left; one can be in both."""

    started: Sequence[Run] = ()
    ended: Sequence[Run] = ()


async def handle_crossings(store: Store, received: Sequence[ReceivedCrossing], now: datetime) -> Changes:
    """Apply the crossings in the order given; those of one account must be in the order of the log."""
    fresh = await store.crossings.remember(received, now)
    if not fresh:
        return Changes()
    accounts = {each.crossing.account_id for each in fresh}
    known = await store.runs.lock_active(accounts)
    desk = Desk(
        active=await store.playbooks.active(),
        others=await store.playbooks.load({(run.playbook, run.version) for run in known}),
        runs=known,
        last_starts=await store.runs.last_starts(accounts),
        now=now,
    )
    for each in fresh:
        desk.take_in(each)
    # Exits first: a playbook's next run of an account may only be written once the one before has ended.
    await store.runs.update([desk.ended[run.id] for run in known if run.id in desk.ended])
    await store.runs.add([desk.ended.get(run.id, run) for run in desk.started])
    await store.entries.add(desk.entries)
    return Changes(desk.started, list(desk.ended.values()))


class Desk:
    """The active runs of a batch's accounts in memory: crossings are taken in one after the other, all is written at the end."""

    def __init__(
        self,
        *,
        active: Sequence[Playbook],
        others: Mapping[PlaybookKey, Playbook],
        runs: Iterable[Run],
        last_starts: Mapping[tuple[str, str], datetime],
        now: datetime,
    ) -> None:
        """`active` playbooks start runs, `others` are the versions that `runs` follow."""
        self.started: list[Run] = []
        self.ended: dict[str, Run] = {}
        self.entries: list[Entry] = []
        self._active = active
        self._versions = {**others, **{(each.name, each.version): each for each in active}}
        self._runs: dict[str, dict[str, Run]] = defaultdict(dict)
        for run in runs:
            self._runs[run.account_id][run.playbook] = run
        self._last_starts = last_starts
        self._now = now

    def take_in(self, received: ReceivedCrossing) -> None:
        """Let it end what it ends, then start what it starts."""
        crossing = received.crossing
        for run in list(self._runs[crossing.account_id].values()):
            definition = self._versions[run.playbook, run.version].definition
            if definition.exits_on(crossing.threshold, crossing.direction):
                self._exit(run, received)
        for playbook in self._active:
            if playbook.definition.starts_on(crossing.threshold, crossing.direction):
                self._enter(playbook, received)

    def _exit(self, run: Run, received: ReceivedCrossing) -> None:
        self.ended[run.id] = exit_run(run, crossing_told(received.crossing), received.id, self._now)
        del self._runs[run.account_id][run.playbook]

    def _enter(self, playbook: Playbook, received: ReceivedCrossing) -> None:
        refused = self._refusal(playbook, received) if received.crossing.cause.outreach else NO_NEWS
        run = None if refused else self._start(playbook, received)
        self.entries.append(_entry(playbook, received, run, refused, self._now))

    def _refusal(self, playbook: Playbook, received: ReceivedCrossing) -> Refusal | None:
        account = received.crossing.account_id
        return refusal(
            playbook.definition,
            playbook.audience(received.crossing.snapshot),
            self._runs[account].get(playbook.name),
            self._last_starts.get((account, playbook.name)),
            self._now,
        )

    def _start(self, playbook: Playbook, received: ReceivedCrossing) -> Run:
        run = Run(
            id=derived_id("run", playbook.name, playbook.version, received.id),
            playbook=playbook.name,
            version=playbook.version,
            account_id=received.crossing.account_id,
            crossing_id=received.id,
            started_at=self._now,
            due_at=self._now,
        )
        self._runs[run.account_id][run.playbook] = run
        self.started.append(run)
        return run


def _entry(
    playbook: Playbook, received: ReceivedCrossing, run: Run | None, refused: Refusal | None, now: datetime
) -> Entry:
    return Entry(
        crossing_id=received.id,
        playbook=playbook.name,
        version=playbook.version,
        account_id=received.crossing.account_id,
        decided_at=now,
        outcome="started" if run else "refused",
        run_id=run.id if run else None,
        code=refused.code if refused else None,
        reason=refused.reason if refused else None,
    )
