"""The active runs of a batch's accounts in memory: crossings are taken in one after the other, all is written at the end."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from csm_common.contracts.health import AccountSnapshot, Crossing
from csm_common.ids import derived_id
from playbooks.application.handlers.trials import trial_of
from playbooks.application.model import (
    EVERYTHING,
    Audited,
    Entry,
    Known,
    Playbook,
    PlaybookKey,
    ReceivedCrossing,
    Switch,
)
from playbooks.application.ports import RunStep
from playbooks.application.wording import crossing_told
from playbooks.domain.durations import duration
from playbooks.domain.entry import FRESH, Circumstances, Refusal, held_out, refusal
from playbooks.domain.run import Run, StepResult, exit_run
from playbooks.domain.trial import Trial


@dataclass(slots=True)
class Past:
    """What the exits of active runs may ask about: the crossings that began them, their steps so far, and what came of tasks."""

    crossings: Mapping[str, ReceivedCrossing] = field(default_factory=dict)
    results: Mapping[str, Mapping[str, StepResult]] = field(default_factory=dict)
    tasks: Mapping[RunStep, tuple[str, str | None]] = field(default_factory=dict)

    def of(self, run: Run, at: ReceivedCrossing) -> Known:
        """What is known of the run's account when another crossing of it comes."""
        began = self.crossings.get(run.crossing_id, at)
        return Known(
            snapshot=at.crossing.snapshot,
            crossing=began.crossing,
            results=self.results.get(run.id, {}),
            tasks={step: said for (asking, step), said in self.tasks.items() if asking == run.id},
        )


class Desk:
    """Runs start on the version that is active; each goes on and ends by its own."""

    def __init__(
        self,
        *,
        active: Sequence[Playbook],
        switches: Mapping[str, Switch],
        versions: Mapping[PlaybookKey, Playbook],
        runs: Iterable[Run],
        past: Past,
        newest: Mapping[str, AccountSnapshot],
        last_entries: Mapping[tuple[str, str], datetime],
        starts: Mapping[str, int],
        now: datetime,
    ) -> None:
        """`active` playbooks start runs, `versions` are those that `runs` follow; `newest` are the snapshots of
        accounts whose crossing is an old one; `starts` counts the last hour's by playbook."""
        self.started: list[Run] = []
        self.ended: dict[str, Run] = {}
        self.entries: list[Entry] = []
        self.trials: list[Trial] = []
        self.thrown: list[Switch] = []
        self.audited: list[Audited] = []
        self._active = sorted(active, key=lambda each: (-each.definition.priority, each.name))
        self._switches = dict(switches)
        self._versions = {**versions, **{(each.name, each.version): each for each in active}}
        self._runs: dict[str, dict[str, Run]] = defaultdict(dict)
        for run in runs:
            self._runs[run.account_id][run.purpose] = run
        self._past = past
        self._newest = newest
        self._last_entries = dict(last_entries)
        self._starts = dict(starts)
        self._now = now

    def take_in(self, received: ReceivedCrossing) -> None:
        """Let it end what it ends, then start what it starts, those of a higher priority first."""
        crossing = received.crossing
        for run in list(self._runs[crossing.account_id].values()):
            if reason := self._exit_reason(run, received):
                self._exit(run, reason, received)
        for playbook in self._active:
            if playbook.definition.starts_on(crossing.threshold, crossing.direction):
                self._enter(playbook, received)

    def _exit_reason(self, run: Run, received: ReceivedCrossing) -> str | None:
        playbook, crossing = self._versions[run.playbook, run.version], received.crossing
        if playbook.definition.exits_on(crossing.threshold, crossing.direction):
            return crossing_told(crossing)
        exits = playbook.definition.exit_when
        if exits is None or exits.condition is None:
            return None
        holds = playbook.ask(exits.condition, self._past.of(run, received)).admitted
        return f"exit_when: {exits.condition}" if holds else None

    def _exit(self, run: Run, reason: str, received: ReceivedCrossing) -> None:
        self.ended[run.id] = exit_run(run, reason, self._now, received.id)
        del self._runs[run.account_id][run.purpose]

    def _enter(self, playbook: Playbook, received: ReceivedCrossing) -> None:
        definition, account = playbook.definition, received.crossing.account_id
        refused = refusal(definition, self._circumstances(playbook, received), self._now)
        if refused is not None:
            if refused.code == "limit":
                self._pause(playbook, refused)
            self._note(playbook, received, refused)
        elif left_alone := held_out(definition, account):
            self._leave_alone(playbook, received, left_alone)
        else:
            self._start(playbook, received)

    def _circumstances(self, playbook: Playbook, received: ReceivedCrossing) -> Circumstances:
        crossing, definition = received.crossing, playbook.definition
        age = self._now - crossing.occurred_at
        return Circumstances(
            news=crossing.cause.outreach,
            age=age,
            overtaken=age > FRESH and _overtaken(crossing, self._newest.get(crossing.account_id)),
            paused=self._paused(playbook.name),
            verdict=playbook.ask(definition.audience, Known(snapshot=crossing.snapshot)),
            active=self._runs[crossing.account_id].get(definition.serves),
            last_start=self._last_entries.get((crossing.account_id, playbook.name)),
            starts_this_hour=self._starts.get(playbook.name, 0),
        )

    def _paused(self, playbook: str) -> str | None:
        for name, what in ((EVERYTHING, "Everything"), (playbook, "The playbook")):
            switch = self._switches.get(name)
            if switch is not None and switch.state != "active":
                return f"{what} is {switch.state} since {switch.at:%Y-%m-%dT%H:%M:%SZ}, by {switch.actor}: {switch.reason}"
        return None

    def _pause(self, playbook: Playbook, refused: Refusal) -> None:
        actor = f"playbook:{playbook.name}/{playbook.version}"
        reason = f"It paused itself. {refused.reason} Look at its entries, then resume it."
        switch = Switch(name=playbook.name, state="paused", reason=reason, actor=actor, at=self._now)
        self._switches[playbook.name] = switch
        self.thrown.append(switch)
        self.audited.append(
            Audited(
                at=self._now,
                actor=actor,
                action="paused",
                subject=f"playbook:{playbook.name}",
                detail={"reason": reason},
            )
        )

    def _start(self, playbook: Playbook, received: ReceivedCrossing) -> None:
        definition, account = playbook.definition, received.crossing.account_id
        before = self._runs[account].get(definition.serves)
        if before is not None:
            reason = f"superseded by {playbook.name}: priority {definition.priority} before {before.priority}"
            self._exit(before, reason, received)
        run = Run(
            id=_run_id(playbook, received),
            playbook=playbook.name,
            version=playbook.version,
            account_id=account,
            crossing_id=received.id,
            started_at=self._now,
            due_at=self._now,
            purpose=definition.serves,
            priority=definition.priority,
            step=playbook.program.first,
        )
        self._runs[account][run.purpose] = run
        self._starts[playbook.name] = self._starts.get(playbook.name, 0) + 1
        self.started.append(run)
        self.trials.append(
            trial_of(
                definition, playbook.version, received.crossing, arm="treated", run_id=run.id, now=self._now
            )
        )
        self._note(playbook, received, None, run.id)

    def _leave_alone(self, playbook: Playbook, received: ReceivedCrossing, why: Refusal) -> None:
        """One trial for the time of the goal's window: an account that is treated has one run in that time, too."""
        definition, account = playbook.definition, received.crossing.account_id
        last = self._last_entries.get((account, playbook.name))
        window = definition.goal.within if definition.goal is not None else None
        if last is None or window is None or self._now >= last + duration(window):
            self._last_entries[account, playbook.name] = self._now
            id_ = _run_id(playbook, received)
            self.trials.append(
                trial_of(
                    definition, playbook.version, received.crossing, arm="held_out", run_id=id_, now=self._now
                )
            )
        self._note(playbook, received, why)

    def _note(
        self,
        playbook: Playbook,
        received: ReceivedCrossing,
        refused: Refusal | None,
        run_id: str | None = None,
    ) -> None:
        held = refused is not None and refused.code == "held_out"
        entry = Entry(
            crossing_id=received.id,
            playbook=playbook.name,
            version=playbook.version,
            account_id=received.crossing.account_id,
            decided_at=self._now,
            outcome="held_out" if held else "refused" if refused else "started",
            run_id=run_id,
            code=refused.code if refused else None,
            reason=refused.reason if refused else None,
        )
        self.entries.append(entry)


def _overtaken(crossing: Crossing, newest: AccountSnapshot | None) -> bool:
    """Whether what is told since says that the account is on the other side of the threshold."""
    if newest is None or newest.revision <= crossing.snapshot.revision:
        return False
    return (crossing.threshold in newest.thresholds) != (crossing.direction == "entered")


def _run_id(playbook: Playbook, received: ReceivedCrossing) -> str:
    return derived_id("run", playbook.name, playbook.version, received.id)
