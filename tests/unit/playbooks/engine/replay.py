"""Histories of runs: what happened to an account, and what the engine decided each time, recorded once and replayed for good."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from tests.support.clock import START
from tests.unit.playbooks.builders import a_crossing, a_run, a_snapshot, received

from csm_common.contracts.health import AccountSnapshot
from playbooks.adapters.conditions import stored_condition
from playbooks.adapters.definitions import decode_definition, encode_definition, parse_definition, playbook_of
from playbooks.application.model import Playbook
from playbooks.application.view import Holding, Situation
from playbooks.domain.calendar import Calendar
from playbooks.domain.interpreter import (
    Answer,
    CallWebhook,
    Decision,
    Effect,
    advance,
    call_failed,
    called,
    claim,
)
from playbooks.domain.run import Run, StepResult

HISTORIES = Path(__file__).parent.parent / "histories"
RETRY = (1.0, 10.0)
LEASE = timedelta(seconds=30)
HOLDING = Holding(condition=stored_condition("'escalated' in thresholds"), reason="an escalation is open")
CALENDAR = Calendar()
_SENTENCES = ("reason", "error", "held")


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """At `at`: nothing but the clock; or members of the account's snapshot that are new; or what a person answers to the question
    that is open; or what the endpoint answers from now on."""

    at: datetime
    news: dict[str, Any] | None = None
    answer: str | None = None
    endpoint: int | None = None


@dataclass
class Replay:
    """One run of a playbook, taken on at every event and whenever it is due before the next one."""

    playbook: Playbook
    now: datetime = START
    snapshot: AccountSnapshot = field(default_factory=a_snapshot)
    endpoint: int = 200
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    results: dict[str, StepResult] = field(default_factory=dict)
    decisions: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        definition = self.playbook.definition
        self.run = a_run(
            playbook=definition.name,
            purpose=definition.serves,
            step=self.playbook.program.first,
            due_at=self.now,
        )
        trigger = definition.trigger
        crossing = a_crossing(
            threshold=trigger.threshold, direction=trigger.direction, snapshot=self.snapshot
        )
        self._received = received("crossing-1", crossing)

    def happens(self, event: Event) -> None:
        """Time goes on to the event, and it happens."""
        while self.run.due_at is not None and self.run.due_at < event.at:
            self.now = max(self.now, self.run.due_at)
            self._look()
        self.now = event.at
        if event.news is not None:
            self.snapshot = replace(self.snapshot, revision=self.snapshot.revision + 1, **event.news)
            self._wake("condition", "hold")
        if event.answer is not None and self.run.awaits == "approval":
            said = Answer(said=event.answer, by="person:maria")  # type: ignore[arg-type]
            self.answers.setdefault((self.run.id, self.run.step or ""), said)
            self._wake("approval")
        self.endpoint = event.endpoint or self.endpoint
        for _ in range(100):
            if self.run.due_at is None or self.run.due_at > self.now:
                return
            self._look()
        raise AssertionError(f"it never comes to rest: {self.run}")

    def _look(self) -> None:
        program = self.playbook.program
        made = advance(program, self.run, self._view(), CALENDAR, self.now)
        self._keep(made)
        if isinstance(made.effect, CallWebhook):
            out = claim(self.run, LEASE, RETRY, self.now)
            if self.endpoint == 200:
                self._keep(called(program, out, self.snapshot.revision, 200, self.now))
            else:
                self._keep(Decision(run=call_failed(out, f"crm answered {self.endpoint}", RETRY, self.now)))

    def _view(self) -> Situation:
        tasks = {
            (self.run.id, each.step): ("open", None) for each in self.results.values() if each.kind == "task"
        }
        return Situation(
            run=self.run,
            playbook=self.playbook,
            received=self._received,
            snapshot=self.snapshot,
            hold=HOLDING,
            results=self.results,
            tasks=tasks,
            answers=self.answers,
        )

    def _keep(self, made: Decision) -> None:
        self.run = made.run
        if made.result is not None:
            self.results[made.result.step] = made.result
        told = {
            "at": self.now,
            "run": _told(made.run),
            "effect": _effect(made.effect),
            "result": _told(made.result),
        }
        self.decisions.append(
            {name: value for name, value in msgspec.to_builtins(told).items() if value is not None}
        )

    def _wake(self, *awaited: str) -> None:
        if self.run.status == "active" and self.run.awaits in awaited:
            self.run = replace(self.run, due_at=self.now)


def _told(row: Run | StepResult | None) -> dict[str, Any] | None:
    """What is there, without what is not, and without sentences: those may be put better."""
    if row is None:
        return None
    plain: dict[str, Any] = msgspec.to_builtins(row)
    return {name: value for name, value in plain.items() if value is not None and name not in _SENTENCES}


def _effect(effect: Effect | None) -> dict[str, Any] | None:
    return None if effect is None else {"kind": type(effect).__name__, **msgspec.to_builtins(effect)}


class History(msgspec.Struct, frozen=True):
    """A definition as it was stored, what happened, and what was decided."""

    definition: msgspec.Raw
    events: list[Event]
    decisions: list[Any]


def replayed(history: History) -> list[Any]:
    """What the present engine decides."""
    definition = decode_definition(bytes(history.definition))
    replay = Replay(playbook_of(1, definition))
    for event in history.events:
        replay.happens(event)
    return replay.decisions


def covers(new: Any, old: Any) -> bool:
    """Whether all that was recorded is there now as it was; members may have been added since."""
    if isinstance(old, Mapping):
        return isinstance(new, Mapping) and all(name in new and covers(new[name], old[name]) for name in old)
    if isinstance(old, list):
        return isinstance(new, list | tuple) and len(new) == len(old) and all(map(covers, new, old))
    return bool(new == old)


# ---- recording


def made_up_events(seed: str) -> list[Event]:
    """Half a year in which the account has its ups and downs, an escalation, a silent endpoint, and people who answer."""
    chance = Random(seed)  # noqa: S311  (reproducible, no secret)
    events, at = [Event(at=START)], START
    for _ in range(30):
        at += timedelta(hours=chance.randrange(1, 200))
        kind = chance.choice(["news", "news", "answer", "endpoint", "clock"])
        news = {
            "score": float(chance.randrange(20, 90)),
            "thresholds": chance.choice([[], ["escalated"], ["at_risk"]]),
        }
        events.append(
            Event(
                at=at,
                news=news if kind == "news" else None,
                answer=chance.choice(["approved", "approved", "rejected"]) if kind == "answer" else None,
                endpoint=chance.choice([200, 503]) if kind == "endpoint" else None,
            )
        )
    return [
        *events,
        Event(at=at + timedelta(hours=1), news={"thresholds": []}, endpoint=200),
        Event(at=at + timedelta(days=400)),
    ]


def record(definition: bytes, events: list[Event]) -> bytes:
    """The history, as its file has it."""
    history = History(msgspec.Raw(definition), events, [])
    whole = msgspec.structs.replace(history, decisions=replayed(history))
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def main(files: list[str]) -> None:
    """Write a history for each file."""
    for file in files:
        definition = parse_definition(Path(file).read_text(encoding="utf-8"), file)
        encoded = encode_definition(definition)
        (HISTORIES / f"{definition.name}.json").write_bytes(record(encoded, made_up_events(definition.name)))


if __name__ == "__main__":
    main(sys.argv[1:])
