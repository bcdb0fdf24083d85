"""What must come out of playbooks, told a second time: from the plain YAML and the documentation, without the product's code.

A run is a generator that yields whenever there is nothing to do until an instant, a person or news. Conditions are written once
more in Python (MEANING). Only lots and ids are the product's own: they are drawn from hashes that no document promises.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.integration.playbooks.oracle_words import Plain, Seen, holds, length, task_due, wait_ends

from playbooks.domain.draw import draw, fraction

RETRY = (1, 10, 60, 300, 1800)
Steps = Generator[None, None, Sequence[Plain]]
"""A step on its way; what it returns are the steps of the way it took."""


@dataclass
class Crossed:
    """A crossing as it was told."""

    id: str
    account: str
    threshold: str
    direction: str
    at: datetime
    news: Plain


@dataclass
class Life:
    """A run: where it is, and what it has left behind."""

    crossing: Crossed
    playbook: Plain
    version: int
    started: datetime
    due: datetime
    status: str = "active"
    ended: datetime | None = None
    why: str = ""
    awaits: str | None = None
    wake: datetime | None = None
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    selling: set[str] = field(default_factory=set)
    way: Generator[None, None, None] | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.crossing.id, self.playbook["name"]

    @property
    def purpose(self) -> str:
        return str(self.playbook.get("purpose", self.playbook["name"]))


class OverError(Exception):
    """The run has ended: status and why."""


@dataclass
class Oracle:
    """All accounts, all playbooks, one clock. `came` is what came out, in a form to compare."""

    now: datetime
    active: dict[str, tuple[int, Plain]] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    newest: dict[str, Plain] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    lives: list[Life] = field(default_factory=list)
    last: dict[tuple[str, str], datetime] = field(default_factory=dict)
    entries: dict[tuple[str, str], tuple[int, str, str | None]] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    endpoints: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[Any, ...]] = field(default_factory=list)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)

    # ---- what is told

    def tell_news(self, news: Plain) -> None:
        account = news["account_id"]
        if account not in self.newest or self.newest[account]["revision"] < news["revision"]:
            self.newest[account] = news
        self.look(account)

    def look(self, account: str) -> None:
        """News wakes what waits for it."""
        for life in self.lives:
            if (
                life.status == "active"
                and life.crossing.account == account
                and life.awaits in ("condition", "hold")
            ):
                life.due = min(life.due, self.now)

    def erase(self, account: str) -> None:
        self.newest.pop(account, None)
        gone = {life.key for life in self.lives if life.crossing.account == account}
        self.known -= {crossing for crossing in self.known if crossing.startswith(f"{account}/")}
        self.lives = [each for each in self.lives if each.key not in gone]
        self.requests = [each for each in self.requests if each[0] not in gone]
        self.entries = {
            key: told for key, told in self.entries.items() if not key[0].startswith(f"{account}/")
        }
        self.tasks = [each for each in self.tasks if each["account"] != account]
        self.questions = [each for each in self.questions if each["run"] not in gone]
        self.last = {key: at for key, at in self.last.items() if key[0] != account}

    def cross(self, crossing: Crossed) -> None:
        if crossing.id in self.known:
            return
        self.known.add(crossing.id)
        for life in self._active(crossing.account):
            exits = life.playbook.get("exit_when")
            if exits is None:
                trigger = life.playbook["trigger"]
                ends = (
                    crossing.threshold == trigger["threshold"] and crossing.direction != trigger["direction"]
                )
            else:
                ends = crossing.threshold in exits.get(crossing.direction, [])
                ends = ends or bool(
                    "condition" in exits and holds(exits["condition"], self._seen(life, crossing.news))
                )
            if ends:
                self._end(life, "exited", "crossing")
        for version, playbook in sorted(
            self.active.values(), key=lambda each: (-each[1].get("priority", 0), each[1]["name"])
        ):
            if playbook["trigger"] == {"threshold": crossing.threshold, "direction": crossing.direction}:
                self._enter(crossing, version, playbook)

    def _enter(self, crossing: Crossed, version: int, playbook: Plain) -> None:
        name, account = playbook["name"], crossing.account
        busy = next(
            (life for life in self._active(account) if life.purpose == playbook.get("purpose", name)), None
        )
        code = self._refused(crossing, playbook, busy)
        if code == "limit":
            self.paused.add(name)
        if code is None and "holdout" in playbook:
            holdout = playbook["holdout"]
            if fraction(f"holdout/{holdout['programme']}/{account}") < holdout["share"]:
                code = "held_out"
                last = self.last.get((account, name))
                if last is None or self.now >= last + length(playbook["goal"]["within"]):
                    self.last[account, name] = self.now
        outcome = "held_out" if code == "held_out" else "refused" if code else "started"
        self.entries[crossing.id, name] = (version, outcome, code)
        if code is None:
            if busy:
                self._end(busy, "exited", "superseded")
            life = Life(crossing, playbook, version, self.now, self.now)
            life.way = self._go(life)
            self.lives.append(life)

    def _refused(self, crossing: Crossed, playbook: Plain, busy: Life | None) -> str | None:
        name, age = playbook["name"], self.now - crossing.at
        if age > timedelta(days=7):
            return "too_old"
        newest = self.newest.get(crossing.account)
        newer = newest is not None and newest["revision"] > crossing.news["revision"]
        inside = crossing.threshold in (newest or {}).get("thresholds", [])
        if newer and age > timedelta(hours=1) and inside == (crossing.direction == "left"):
            return "overtaken"
        if name in self.paused:
            return "paused"
        admitted = holds(playbook.get("audience", "true"), Seen(crossing.news))
        if not admitted:
            return "audience" if admitted is not None else "audience_undecided"
        if busy and busy.playbook["name"] == name:
            return "already_active"
        if busy and busy.playbook.get("priority", 0) >= playbook.get("priority", 0):
            return "purpose_active"
        once = playbook.get("entry", {}).get("once_per")
        began = [
            each.started
            for each in self.lives
            if each.steps and each.key[1] == name and each.crossing.account == crossing.account
        ]
        began += [self.last[crossing.account, name]] if (crossing.account, name) in self.last else []
        if once and began and self.now < max(began) + length(once):
            return "once_per"
        most = playbook.get("limits", {}).get("starts_per_hour")
        recent = [
            each
            for each in self.lives
            if each.key[1] == name and each.started > self.now - timedelta(hours=1)
        ]
        return "limit" if most and len(recent) >= most else None

    # ---- time

    def settle(self) -> None:
        """Everything that is due."""
        while due := [
            each
            for each in self.lives
            if each.status == "active" and each.due <= self.now and each.key[1] not in self.paused
        ]:
            for life in due:
                self._step(life)

    def later(self, end: datetime) -> None:
        """Somebody looks whenever something is due."""
        while True:
            self.settle()
            due = [
                each.due for each in self.lives if each.status == "active" and each.key[1] not in self.paused
            ]
            if not due or min(due) > end:
                break
            self.now = max(self.now, min(due))
        self.now = end

    def _step(self, life: Life) -> None:
        try:
            assert life.way is not None
            next(life.way)
        except StopIteration:
            self._end(life, "completed", "")
        except OverError as over:
            self._end(life, *over.args)

    def _active(self, account: str) -> list[Life]:
        return [each for each in self.lives if each.status == "active" and each.crossing.account == account]

    def _end(self, life: Life, status: str, why: str) -> None:
        life.status, life.why, life.ended, life.awaits = status, why, self.now, None
        for question in self.questions:
            if question["run"] == life.key and question["status"] == "pending":
                question["status"] = "expired"

    # ---- a run

    def _news(self, life: Life) -> Plain:
        known = self.newest.get(life.crossing.account, life.crossing.news)
        return max(known, life.crossing.news, key=lambda each: each["revision"])

    def _seen(self, life: Life, news: Plain | None = None) -> Seen:
        steps = {}
        for name, step in life.steps.items():
            steps[name] = {"outcome": step["outcome"], "path": step["path"]}
            if "task" in step:
                steps[name]["task"] = {"status": step["task"]["status"], "outcome": step["task"]["outcome"]}
        return Seen(news or self._news(life), steps)

    def _exits(self, life: Life) -> None:
        condition = (life.playbook.get("exit_when") or {}).get("condition")
        if condition and holds(condition, self._seen(life)):
            raise OverError("exited", "condition")
        late = life.playbook.get("late", {})
        if late.get("then") == "exit" and life.wake and self.now > life.wake + length(late["after"]):
            raise OverError("exited", "late")

    def _until(self, life: Life, due: datetime) -> Generator[None, None, None]:
        life.due = due
        yield
        self._exits(life)

    def _go(self, life: Life) -> Generator[None, None, None]:
        yield from self._walk(life, life.playbook["steps"])

    def _walk(self, life: Life, steps: Sequence[Plain]) -> Generator[None, None, None]:
        for step in steps:
            self._exits(life)
            kind = next(each for each in step if each not in ("name", "sales"))
            if step.get("sales"):
                life.selling.add(step["name"])
                yield from self._held(life)
            inner = yield from getattr(self, f"_{kind}_step")(life, step["name"], step[kind])
            yield from self._walk(life, inner or [])
            if kind == "approve" and life.steps[step["name"]]["path"]:
                raise OverError("completed", "")

    def _did(
        self, life: Life, step: str, outcome: str, path: str | None = None, **more: Any
    ) -> Sequence[Plain]:
        """Written down; nothing comes inside of it."""
        life.steps[step] = {"outcome": outcome, "path": path, "at": self.now, **more}
        life.awaits, life.wake = None, None
        return []

    def _held_back(self, life: Life, step: str) -> bool:
        return step in life.selling and "escalated" in self._news(life)["thresholds"]

    def _held(self, life: Life) -> Generator[None, None, None]:
        since = self.now
        while "escalated" in self._news(life)["thresholds"]:
            if self.now >= since + timedelta(days=30):
                raise OverError("exited", "held")
            life.awaits = "hold"
            yield from self._until(life, self.now + timedelta(hours=1))
        life.awaits = None

    def _notify_step(self, life: Life, step: str, notify: Plain) -> Steps:
        yield from ()
        to = tuple(
            (kind, None if value is True else value)
            for each in notify["recipients"]
            for kind, value in each.items()
        )
        told = (
            notify["channel"],
            notify["template"],
            notify["category"],
            notify["message_class"],
            to,
            notify.get("if_held", "later"),
            life.playbook.get("priority", 0),
        )
        when = (self.now, self.now + timedelta(days=3))
        self.requests.append((life.key, step, *when, *told, *self._chain(life)))
        return self._did(life, step, "requested")

    @staticmethod
    def _chain(life: Life) -> tuple[Any, ...]:
        """Why: the run's beginning, the crossing, and every step before with its outcome, its way and its time, in order."""
        crossing = life.crossing
        before = [(name, step["outcome"], step["path"], step["at"]) for name, step in life.steps.items()]
        return (
            life.playbook["title"],
            life.started,
            (crossing.id, crossing.threshold, crossing.direction, crossing.at),
            tuple(before),
        )

    def _wait_step(self, life: Life, step: str, wait: str | Plain) -> Steps:
        ends = (
            self.now + length(wait)
            if isinstance(wait, str)
            else wait_ends(wait, self._news(life)["attributes"], self.now)
        )
        if ends is None:
            return self._did(life, step, "skipped")
        life.awaits, life.wake = "time", ends
        if ends >= self.now:
            while self.now < ends:
                yield from self._until(life, ends)
        return self._did(life, step, "waited", until=ends)

    def _wait_until_step(self, life: Life, step: str, wait: Plain) -> Steps:
        life.awaits, life.wake = "condition", self.now + length(wait["timeout"])
        ends = life.wake
        while not holds(wait["condition"], self._seen(life)):
            if self.now >= ends:
                self._did(life, step, "timed_out", "timed_out", until=ends)
                way: Sequence[Plain] = wait.get("otherwise", [])
                return way
            yield from self._until(life, ends)
        return self._did(life, step, "met", until=ends)

    def _branch_step(self, life: Life, step: str, branch: Plain) -> Steps:
        yield from ()
        case = next((each for each in branch["cases"] if holds(each["when"], self._seen(life))), None)
        self._did(life, step, "taken", case["name"] if case else "otherwise")
        way: Sequence[Plain] = case["steps"] if case else branch.get("otherwise", [])
        return way

    def _split_step(self, life: Life, step: str, split: Plain) -> Steps:
        yield from ()
        lots = [(each["name"], each.get("share", 1)) for each in split["paths"]]
        path = draw(f"{life.playbook['name']}/{step}/{life.crossing.account}", lots)
        self._did(life, step, "drawn", path)
        return next(each["steps"] for each in split["paths"] if each["name"] == path)

    def _end_step(self, life: Life, step: str, end: Plain) -> Steps:
        yield from ()
        self._did(life, step, "ended")
        raise OverError("completed", end["reason"])

    def _task_step(self, life: Life, step: str, task: Plain) -> Steps:
        yield from ()
        due, account = task_due(task["due_in"], self.now), life.crossing.account
        same = [
            each
            for each in self.tasks
            if each["status"] == "open"
            and (each["account"], each["type"], each["reason"]) == (account, task["type"], task["reason"])
        ]
        who = (
            self._news(life)["attributes"].get("owner")
            if task["assignee"] == "owner"
            else task["assignee"].get("contact")
        )
        if same:
            found = same[0]
            found |= {"title": task["title"], "due": min(due, found["due"]), "asked": found["asked"] + 1}
        else:
            found = {
                "account": account,
                "type": task["type"],
                "reason": task["reason"],
                "title": task["title"],
                "owner": who,
                "due": due,
                "asked": 1,
                "status": "open",
                "outcome": None,
            }
            self.tasks.append(found)
        return self._did(life, step, "updated" if same else "opened", task=found)

    def _webhook_step(self, life: Life, step: str, webhook: Plain) -> Steps:
        life.awaits = "call"
        for pause in (*RETRY, None):
            status = self.endpoints.get(webhook["endpoint"], 200)
            called = (webhook["endpoint"], self.now, tuple(webhook["data"].items()))
            self.calls.append((life.key, step, *called, *self._chain(life)))
            if status < 300:
                return self._did(life, step, "called")
            if pause is None or status < 500:
                break
            yield from self._until(life, self.now + timedelta(seconds=pause))
            if self._held_back(life, step):
                yield from self._held(life)
                return (yield from self._webhook_step(life, step, webhook))
        raise OverError("failed", "")

    def _approve_step(self, life: Life, step: str, approve: Plain) -> Steps:
        life.awaits, life.wake = "approval", self.now + length(approve["expires_in"])
        by, ends = approve["by"], life.wake
        question: dict[str, Any] = {
            "run": life.key,
            "step": step,
            "by": (by,) if isinstance(by, str) else tuple(by),
            "at": self.now,
            "expires": ends,
            "status": "pending",
        }
        self.questions.append(question)
        while question["status"] == "pending":
            yield from self._until(life, ends)
            if question["status"] == "pending" and self.now >= ends:
                question["status"] = "expired"
        said = str(question["status"])
        self._did(life, step, said, None if said == "approved" else said, until=ends)
        way: Sequence[Plain] = approve.get(said, [])
        return way
