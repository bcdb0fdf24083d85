"""Simulations on request: one account, or the past, through a playbook. What they read is the service's, what they write a
sandbox's: nothing lasts and nothing leaves."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import msgspec

from csm_common.clock import Clock
from csm_common.contracts.health import AccountSnapshot
from csm_common.errors import InvalidError, NotFoundError
from playbooks.application.model import EVERYTHING, Playbook, ReceivedCrossing
from playbooks.application.ports import Transactions
from playbooks.application.reads import Reads, RunFilter
from playbooks.application.simulation import Sandbox, Simulator
from playbooks.application.simulation_account import unknown_account
from playbooks.application.simulation_driver import drive
from playbooks.application.simulation_history import History, Past, Replay
from playbooks.application.simulation_people import People
from playbooks.application.simulation_request import Walked, require_steps
from playbooks.application.simulation_walk import Walk, walk
from playbooks.domain.definition import Definition, Entry

PAGE = 1_000
MOST_RUNS = 200
MADE_UP = "simulated"
NOT_STORED = 0
"""The version of a playbook that is written in a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """`force` leaves audience, holdout, limits and `once_per` out; `with_runs` begins with the account's runs as they are;
    `with_others` has the other active playbooks in force as well."""

    force: bool = False
    with_runs: bool = False
    with_others: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The first `limit` crossings from `since` to before `before`; `first` entrances are told one by one."""

    since: datetime
    before: datetime
    limit: int
    first: int
    with_others: bool = False


class Lab(Protocol):
    """Makes what simulations need."""

    def simulator(self, start: datetime, people: People, answers: Mapping[str, int]) -> Simulator:
        """One with a sandbox of its own; `answers` are those of endpoints."""
        ...

    def read(self, text: str, *, is_json: bool) -> Definition:
        """MistakenError with all mistakes of a text that cannot be used."""
        ...

    def ready(self, version: int, definition: Definition) -> Playbook:
        """The version with its conditions compiled."""
        ...


class SimulationDesk:
    """NotFoundError where there is no such playbook or account; TransientError while the database is away."""

    def __init__(self, lab: Lab, transactions: Transactions, reads: Reads, past: Past, clock: Clock) -> None:
        self._lab = lab
        self._transactions = transactions
        self._reads = reads
        self._past = past
        self._clock = clock
        self._turn = asyncio.Semaphore(1)

    async def named(self, name: str, version: int | None) -> Playbook:
        """A version that is stored; the active one where none is given."""
        async with self._transactions.begin() as store:
            if version is None:
                found = [each for each in await store.playbooks.active() if each.name == name]
            else:
                try:
                    found = list((await store.playbooks.load([(name, version)])).values())
                except KeyError:
                    found = []
        if not found:
            which = f"version {version} of {name}" if version is not None else f"active version of {name}"
            raise NotFoundError(f"There is no {which}; GET /v1/playbooks lists what there is.")
        return found[0]

    def given(self, definition: str | Mapping[str, Any]) -> Playbook:
        """One that is written in the request, as YAML or as JSON."""
        is_json = not isinstance(definition, str)
        text = definition if isinstance(definition, str) else msgspec.json.encode(definition).decode()
        return self._lab.ready(NOT_STORED, self._lab.read(text, is_json=is_json))

    async def walk(self, playbook: Playbook, walked: Walked, how: How) -> Walk:
        """Take one account through it."""
        require_steps(walked, playbook.definition)
        now = self._clock.now()
        known = await self._known(walked.account_id, now)
        scenario = walked.scenario(playbook.definition, known, now)
        simulator = self._lab.simulator(scenario.at, walked.people(), walked.webhooks)
        notes = await self._notes(playbook, how)
        if how.with_runs:
            if walked.account_id is None:
                raise InvalidError("`with_runs` needs an `account_id`: only a known account has runs.")
            await self._seed(simulator.sandbox, walked.account_id, scenario.at)
        if how.with_others:
            await self._install_others(simulator.sandbox, playbook.name)
        if how.force:
            playbook = self._lab.ready(playbook.version, _freed(playbook.definition))
        found = await asyncio.to_thread(drive, walk(simulator, playbook, scenario))
        return replace(found, notes=[*notes, *found.notes])

    async def history(self, playbook: Playbook, span: Span) -> History:
        """Take the crossings of a span through it: beside the event loop, one span at a time."""
        if span.before <= span.since:
            raise InvalidError(
                f"`to` is {span.before.isoformat()}, which is not after `from`, {span.since.isoformat()}."
            )
        simulator = self._lab.simulator(span.since, People(), {})
        if span.with_others:
            await self._install_others(simulator.sandbox, playbook.name)
        async with self._turn:
            return await self._replay(Replay(simulator, playbook), span)

    async def _replay(self, replay: Replay, span: Span) -> History:
        after: tuple[datetime, str] | None = None
        while room := min(PAGE, span.limit - replay.crossings):
            page = await self._past.page(span.since, span.before, after, room)
            if not page:
                break
            await asyncio.to_thread(drive, replay.feed(page))
            after = (page[-1].crossing.occurred_at, page[-1].id)
        complete = replay.crossings < span.limit
        until = span.before if complete or after is None else after[0]
        ending = replay.end(span.since, until, complete=complete, first=span.first)
        return await asyncio.to_thread(drive, ending)

    async def _install_others(self, sandbox: Sandbox, name: str) -> None:
        async with self._transactions.begin() as store:
            for each in await store.playbooks.active():
                if each.name != name:
                    sandbox.install(each, active=True)

    async def _known(self, account_id: str | None, now: datetime) -> AccountSnapshot:
        if account_id is None:
            return unknown_account(MADE_UP, now)
        async with self._transactions.begin() as store:
            found = (await store.accounts.newest([account_id])).get(account_id)
        if found is None:
            raise NotFoundError(
                f"There is no account {account_id!r}; leave it out, and tell how it is in `snapshot`."
            )
        return found

    async def _notes(self, playbook: Playbook, how: How) -> list[str]:
        async with self._transactions.begin() as store:
            thrown = await store.switches.all()
        notes = [
            f"{'Everything' if name == EVERYTHING else name} is {switch.state} now ({switch.reason}): left out here."
            for name, switch in thrown.items()
            if name in (EVERYTHING, playbook.name) and switch.state != "active"
        ]
        return (
            [*notes, "The rules of entry were left out: audience, holdout, limits, once_per."]
            if how.force
            else notes
        )

    async def _seed(self, sandbox: Sandbox, account_id: str, at: datetime) -> None:
        """The account's runs as they are, with what they refer to; those that began after `at` have not happened yet."""
        found = await self._reads.runs(RunFilter(account_id=account_id, started_to=at), MOST_RUNS, None)
        async with self._transactions.begin() as store:
            crossings = await store.crossings.load(_crossings_of(found))
            versions = await store.playbooks.load({(run.playbook, run.version) for run in found})
            results = await store.runs.results([run.id for run in found])
        for version in versions.values():
            sandbox.install(version, active=False)
        known: Sequence[ReceivedCrossing] = list(crossings.values())
        async with sandbox.transactions.begin() as store:
            await store.crossings.remember(known, at)
            await store.runs.add(found)
            await store.runs.record([each for steps in results.values() for each in steps.values()])


def _crossings_of(runs: Sequence[Any]) -> set[str]:
    ids = {each for run in runs for each in (run.crossing_id, run.exit_crossing_id)}
    return {each for each in ids if each is not None}


def _freed(definition: Definition) -> Definition:
    """Whoever crosses the trigger enters."""
    return replace(definition, audience="true", holdout=None, limits=None, entry=Entry())
