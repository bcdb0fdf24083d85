"""Random histories of accounts and people, told to the service and to the oracle alike, and what came out of each to compare."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import yaml
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.playbooks import oracle, oracle_words
from tests.integration.playbooks.conftest import adapters_on
from tests.integration.playbooks.oracle import Crossed, Oracle
from tests.support.clock import ManualClock
from tests.unit.playbooks.builders import (
    a_crossing,
    a_snapshot,
    crossing_record,
    crossing_value,
    erasure_value,
    snapshot_record,
    snapshot_value,
)
from tests.unit.playbooks.engine.endpoints import Posted, ToldEndpoints
from tests.unit.playbooks.engine.service import Service
from tests.unit.playbooks.engine.tables import PostgresTables

from csm_common.contracts.notifications import Chain
from csm_common.errors import PermanentError, TransientError
from csm_common.ids import derived_id
from csm_common.kafka.record import Record
from playbooks.adapters.conditions import compile_condition
from playbooks.adapters.definitions import parse_definition
from playbooks.application.actor import Actor
from playbooks.application.approval_desk import ApprovalDesk
from playbooks.application.handlers.steps import Rules
from playbooks.application.model import Approval, Entry, Task
from playbooks.application.task_desk import TaskDesk
from playbooks.application.view import Holding
from playbooks.domain.calendar import Calendar
from playbooks.domain.interpreter import Said
from playbooks.domain.run import Run, StepResult
from playbooks.domain.scopes import ACCOUNT
from playbooks.entrypoints.consumer import HealthHandler

DIRECTORY = Path(__file__).parent / "oracle_playbooks"
THRESHOLDS = (
    "admin_silent",
    "critical",
    "renewal_near",
    "seats_full",
    "nightly",
    "nps_low",
    "payment_failed",
    "review_due",
    "escalated",
)
ACCOUNTS = ("acme", "bolt", "core", "dune")
CALENDAR = Calendar(zone=ZoneInfo(oracle_words.HOME), is_holiday=oracle_words.DAYS_OFF.__contains__)
HOLD = Holding(condition=compile_condition("'escalated' in thresholds", ACCOUNT), reason="escalated")
OWNERS = ("ana", "ben", None)


@dataclass
class Endpoints(ToldEndpoints):
    """Each answers by its name, as the settings' endpoints do."""

    status: dict[str, int] = field(default_factory=dict)

    async def call(self, endpoint: str, *, message_id: str, at: datetime, body: bytes) -> int:
        await super().call(endpoint, message_id=message_id, at=at, body=body)
        status = self.status.get(endpoint, 200)
        if status >= 500:
            raise TransientError(f"it answered {status}")
        if status >= 300:
            raise PermanentError(f"it answered {status}")
        return status


class Both:
    """The service on PostgreSQL, and the oracle."""

    def __init__(self, engine: AsyncEngine, seed: int, start: datetime) -> None:
        self.random = random.Random(seed)  # noqa: S311
        self.engine = engine
        self.clock = ManualClock(start)
        self.endpoints = Endpoints()
        self.oracle = Oracle(start, endpoints=self.endpoints.status)
        self.texts = {file.stem: file.read_text() for file in sorted(DIRECTORY.glob("*.yaml"))}
        self.versions = dict.fromkeys(self.texts, 0)
        self.inside: dict[str, set[str]] = {each: set() for each in ACCOUNTS}
        self.news: dict[str, dict[str, Any]] = {}
        self.untold: list[tuple[str, Mapping[str, Any] | None]] = []
        self.told: list[Crossed] = []
        self.deeds: list[str] = []
        self.restart()

    def restart(self) -> None:
        """New objects over the same database: nothing is remembered but what is stored."""
        transactions = adapters_on(self.engine).transactions
        rules = Rules(calendar=CALENDAR, hold=HOLD, retry_after_s=oracle.RETRY)
        self.service = Service(transactions, PostgresTables(self.engine), self.clock, rules, self.endpoints)
        self.handler = HealthHandler(transactions.store, self.clock, on_started=lambda: None)

    async def publish(self, change: str | None = None) -> None:
        """Put the files in force, one of them changed."""
        if change is not None:
            self.texts[change] = (
                self.texts[change].replace("title: ", "title: Again, ", 1).replace("wait: 3d", "wait: 2d")
            )
        for name, text in self.texts.items():
            plain = yaml.safe_load(text)
            if name not in self.oracle.active or self.oracle.active[name][1] != plain:
                self.versions[name] += 1
                self.oracle.active[name] = (self.versions[name], plain)
        await self.service.publish(*[parse_definition(text, name) for name, text in self.texts.items()])

    # ---- what happens to accounts

    def change(self, account: str, **members: Any) -> Mapping[str, Any]:
        """The account's next snapshot."""
        before = self.news.get(account)
        if before is None:
            before = {
                "account_id": account,
                "revision": 0,
                "score": 50.0,
                "band": "amber",
                "values": {"seats": 0.9},
                "attributes": self._attributes(),
                "thresholds": [],
            }
        news = {
            **before,
            "revision": before["revision"] + 1,
            "thresholds": sorted(self.inside[account]),
            **members,
        }
        self.news[account] = news
        return news

    def _attributes(self) -> dict[str, Any]:
        chance = self.random
        day = (self.clock.now() + timedelta(days=chance.randint(40, 80))).date()
        offered = {
            "owner": chance.choice(OWNERS[:2]),
            "arr": chance.choice([5000, 20000, 150000, 99999.5]),
            "plan": chance.choice(["plus", "pro"]),
            "timezone": chance.choice(
                ["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago"]
            ),
            "renewal_date": day.isoformat(),
            "kickoff": self.clock.now().date().isoformat(),
            "vip": True,
            "stage": "live",
        }
        return {name: value for name, value in offered.items() if chance.random() < 0.75}

    def _crossing(self, account: str) -> Crossed:
        threshold = self.random.choice(THRESHOLDS)
        direction = "left" if threshold in self.inside[account] else "entered"
        self.inside[account] ^= {threshold}
        news = self.change(account, score=self.random.choice([None, 20.0, 45.0, 61.0]))
        late = timedelta(seconds=self.random.choice([0, 0, 5, 1800, 7200, 8 * 86400]))
        made = Crossed(
            f"{account}/{news['revision']}/{len(self.told)}",
            account,
            threshold,
            direction,
            self.clock.now() - late,
            news,
        )
        self.told.append(made)
        self.untold.append((account, news))
        return made

    def _snapshots(self) -> list[tuple[str, Mapping[str, Any] | None]]:
        """Some of what is to be told on the topic of accounts, which is read out of step with the other one."""
        count = self.random.choice([0, 1, len(self.untold), len(self.untold)])
        taken, self.untold = self.untold[:count], self.untold[count:]
        return taken

    async def deliver(self, crossings: Sequence[Crossed], erased: Sequence[str] = ()) -> None:
        """One batch of the consumer."""
        snapshots = self._snapshots()
        newest = {account: news for account, news in snapshots if news is not None}
        for account, news in snapshots:
            if news is None:
                self.oracle.newest.pop(account, None)
        for news in newest.values():
            self.oracle.tell_news(news)
        for account in erased:
            self.oracle.erase(account)
        for each in crossings:
            self.oracle.cross(each)
        records = [
            *map(_snapshot_record, snapshots),
            *map(_erasure_record, erased),
            *map(_crossing_record, crossings),
        ]
        async with self.engine.begin() as tx:
            outcome = await self.handler.handle(tx, records)
        assert not outcome.dead_letters
        await self.settle()

    async def settle(self) -> None:
        """Both do what is due."""
        self.oracle.settle()
        await self.service.settle()

    # ---- one thing happens

    async def happen(self) -> None:
        """Something, drawn by weight."""
        drawn = {
            self.crossings_come: 10,
            self.news_comes: 6,
            self.time_goes_on: 10,
            self.an_outage: 2,
            self.clock_goes_back: 1,
            self.the_log_repeats: 3,
            self.a_restart: 2,
            self.an_answer: 5,
            self.a_task_is_done: 5,
            self.a_switch: 1,
            self.a_version: 1,
            self.an_endpoint_changes: 3,
            self.an_erasure: 0.5,
        }
        [deed] = self.random.choices(list(drawn), list(drawn.values()))
        self.deeds.append(deed.__name__)
        await deed()

    async def crossings_come(self) -> None:
        await self.deliver(
            [self._crossing(self.random.choice(ACCOUNTS)) for _ in range(self.random.randint(1, 4))]
        )

    async def news_comes(self) -> None:
        account = self.random.choice(ACCOUNTS)
        attributes = {**self.news.get(account, {}).get("attributes", {}), **self._attributes()}
        if self.random.random() < 0.1:
            attributes["stage"] = "churned"
        score, seats = self.random.choice([30.0, 59.9, 60.0, None]), self.random.choice([0.7, 0.85])
        news = self.change(
            account,
            score=score,
            band=self.random.choice(["red", "green"]),
            values={"seats": seats},
            attributes=attributes,
        )
        self.untold.append((account, news))
        await self.deliver([])

    async def time_goes_on(self) -> None:
        unit = self.random.choice(
            [timedelta(seconds=7), timedelta(minutes=11), timedelta(hours=5), timedelta(days=1)]
        )
        by = unit * self.random.randint(1, 6)
        self.oracle.later(self.oracle.now + by)
        await self.service.later(by)

    async def an_outage(self) -> None:
        by = self.random.choice(
            [timedelta(hours=3), timedelta(hours=9), timedelta(days=2), timedelta(weeks=3)]
        )
        self.oracle.now = self.clock.advance(by)
        await self.settle()

    async def clock_goes_back(self) -> None:
        self.oracle.now = self.clock.advance(-timedelta(minutes=self.random.randint(1, 300)))
        await self.settle()

    async def the_log_repeats(self) -> None:
        again = [each for each in self.told[-6:] if self.random.random() < 0.7]
        await self.deliver(again + again[:1])

    async def a_restart(self) -> None:
        self.restart()
        await self.publish()
        await self.settle()

    async def an_answer(self) -> None:
        pending = [
            each
            for each in self.oracle.questions
            if each["status"] == "pending" and self.oracle.now < each["expires"]
        ]
        if pending:
            question = self.random.choice(pending)
            said: Said = self.random.choice(("approved", "rejected"))
            question["status"] = said
            life = next(each for each in self.oracle.lives if each.key == question["run"])
            life.due = self.oracle.now
            approval = derived_id("approval", self.run_id(life), question["step"])
            await ApprovalDesk(self.service.transactions, self.clock).answer(approval, said, Actor("console"))
            await self.settle()

    async def a_task_is_done(self) -> None:
        to_do = [each for each in self.oracle.tasks if each["status"] == "open"]
        if to_do:
            task = self.random.choice(to_do)
            outcome = self.random.choice(["saved", "lost", "reached"])
            [found] = [
                each
                for each in await self.service.tasks()
                if each.status == "open"
                and (each.account_id, each.type, each.reason)
                == (task["account"], task["type"], task["reason"])
            ]
            task |= {"status": "done", "outcome": outcome}
            self.oracle.look(task["account"])
            await TaskDesk(self.service.transactions, self.clock, CALENDAR).complete(
                found.id, outcome, Actor("console")
            )
            await self.settle()

    async def a_switch(self) -> None:
        name = self.random.choice(sorted(self.texts))
        state: Literal["active", "paused"] = "active" if name in self.oracle.paused else "paused"
        self.oracle.paused ^= {name}
        await self.service.throw(name, state)
        await self.settle()

    async def a_version(self) -> None:
        await self.publish(self.random.choice(sorted(self.texts)))

    async def an_endpoint_changes(self) -> None:
        self.endpoints.status[self.random.choice(["crm", "pager", "billing"])] = self.random.choice(
            [200, 200, 503, 503, 410]
        )

    async def an_erasure(self) -> None:
        account = self.random.choice(ACCOUNTS)
        self.untold = [each for each in self.untold if each[0] != account] + [(account, None)]
        self.news.pop(account, None)
        self.inside[account] = set()
        await self.deliver([], [account])

    # ---- what came out

    @staticmethod
    def run_id(life: oracle.Life) -> str:
        return derived_id("run", life.playbook["name"], life.version, life.crossing.id)

    def expected(self) -> dict[str, list[Any]]:
        """By the oracle."""
        told = self.oracle
        return {
            "entries": sorted((*key, *each) for key, each in told.entries.items()),
            "runs": sorted((self.run_id(each), each.status, each.ended, each.why) for each in told.lives),
            "steps": sorted(
                (self.run_id(each), name, step["outcome"], step["path"], step["at"], step.get("until"))
                for each in told.lives
                for name, step in each.steps.items()
            ),
            "requests": sorted((*key, *each) for key, *each in told.requests),
            "calls": sorted((*key, *each) for key, *each in told.calls),
            "questions": sorted(
                (*each["run"], each["step"], each["by"], each["at"], each["expires"], each["status"])
                for each in told.questions
            ),
            "tasks": sorted(
                (
                    each["account"],
                    each["type"],
                    each["reason"],
                    each["title"],
                    "" if each["type"] == "rescue" else str(each["owner"]),
                    each["due"],
                    each["asked"],
                    each["status"],
                    each["outcome"] or "",
                )
                for each in told.tasks
            ),
        }

    async def found(self) -> dict[str, list[Any]]:
        """By the service's tables and its outbox."""
        rows = self.service.tables.rows
        runs = {run.id: run for run in await rows(Run)}
        key = {run.id: (run.crossing_id, run.playbook) for run in runs.values()}
        questions, requests = await rows(Approval), await self.service.requests()
        return {
            "entries": sorted(
                (each.crossing_id, each.playbook, each.version, each.outcome, each.code)
                for each in await rows(Entry)
            ),
            "runs": sorted((each.id, each.status, each.ended_at, _why(each)) for each in runs.values()),
            "steps": sorted(
                (each.run_id, each.step, each.outcome, each.path, each.at, each.until)
                for each in await rows(StepResult)
            ),
            "requests": sorted(
                (
                    *key[each.run_id],
                    each.step,
                    each.requested_at,
                    each.expires_at,
                    each.channel,
                    each.template,
                    each.category,
                    each.message_class,
                    tuple((to.kind, to.value) for to in each.recipients),
                    each.if_held,
                    each.priority,
                    *_chain(each.chain),
                )
                for each in requests
            ),
            "calls": sorted(map(_call, self.endpoints.posted)),
            "questions": sorted(
                (*key[each.run_id], each.step, each.by, each.asked_at, each.expires_at, each.status)
                for each in questions
            ),
            "tasks": sorted(
                (
                    each.account_id,
                    each.type,
                    each.reason,
                    each.title,
                    "" if each.type == "rescue" else str(each.owner),
                    each.due_at,
                    each.asked,
                    each.status,
                    each.outcome or "",
                )
                for each in await rows(Task)
            ),
        }


def _why(run: Run) -> str:
    """The kind of the reason, as the oracle tells it."""
    reason = run.reason or ""
    if run.status == "completed":
        return reason
    if run.status != "exited":
        return ""
    told = {"superseded by": "superseded", "its wait ended": "late", "held back for": "held"}
    found = next((kind for start, kind in told.items() if reason.startswith(start)), None)
    return found or ("crossing" if run.exit_crossing_id else "condition")


def _call(posted: Posted) -> tuple[Any, ...]:
    body = posted.body
    return (
        body["chain"]["crossing_id"],
        body["playbook"],
        body["step"],
        posted.endpoint,
        posted.at,
        tuple(body["data"].items()),
        *_chain(msgspec.convert(body["chain"], Chain)),
    )


def _chain(told: Chain) -> tuple[Any, ...]:
    """What the oracle tells of it, once the ids in it fit each other and the facts are those of every crossing here."""
    crossing = told.crossing
    assert crossing is not None
    assert (told.crossing_id, told.fact_ids) == (crossing.id, [each.id for each in crossing.facts])
    return (
        told.playbook_title,
        told.run_started_at,
        (crossing.id, crossing.threshold, crossing.direction, crossing.occurred_at),
        tuple((each.step, each.outcome, each.path, each.at) for each in told.steps),
    )


def _snapshot(news: Mapping[str, Any]) -> Any:
    members = {
        name: news[name] for name in ("revision", "score", "band", "values", "attributes", "thresholds")
    }
    return a_snapshot(news["account_id"], **members)


def _snapshot_record(told: tuple[str, Mapping[str, Any] | None]) -> Record:
    account, news = told
    return snapshot_record(0, None if news is None else snapshot_value(_snapshot(news)), account.encode())


def _crossing_record(told: Crossed) -> Record:
    crossing = a_crossing(told.account, told.threshold, told.direction, told.at, _snapshot(told.news))  # type: ignore[arg-type]
    return crossing_record(0, crossing_value(told.id, crossing))


def _erasure_record(account: str) -> Record:
    return crossing_record(0, erasure_value(account))
