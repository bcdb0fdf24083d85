"""Simulations on request: one account, or the past, through a playbook. What they read is the service's, what they write a
sandbox's: nothing lasts and nothing leaves."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
        return self._lab.ready(1, self._lab.read(text, is_json=is_json))

    async def walk(self, playbook: Playbook, walked: Walked, *, force: bool, with_runs: bool) -> Walk:
        """Take one account through it. `force` leaves audience, holdout, limits and `once_per` out; `with_runs` begins with the
        account's runs as they are."""
        require_steps(walked, playbook.definition)
        now = self._clock.now()
        known = await self._known(walked.account_id, now)
        scenario = walked.scenario(playbook.definition, known, now)
        simulator = self._lab.simulator(scenario.at, walked.people(), walked.webhooks)
        notes = await self._notes(playbook, force=force)
        if with_runs:
            if walked.account_id is None:
                raise InvalidError("`with_runs` needs an `account_id`: only a known account has runs.")
            await self._seed(simulator.sandbox, walked.account_id, scenario.at)
        if force:
            playbook = self._lab.ready(playbook.version, _freed(playbook.definition))
        found = await asyncio.to_thread(drive, walk(simulator, playbook, scenario))
        return replace(found, notes=[*notes, *found.notes])

    async def history(
        self, playbook: Playbook, since: datetime, before: datetime, *, limit: int, first: int
    ) -> History:
        """Take the first `limit` crossings from `since` to before `before` through it: beside the event loop, one at a time."""
        if before <= since:
            raise InvalidError(
                f"`to` is {before.isoformat()}, which is not after `from`, {since.isoformat()}."
            )
        replay = Replay(self._lab.simulator(since, People(), {}), playbook)
        async with self._turn:
            after, last = None, since
            while page := await self._past.page(since, before, after, min(PAGE, limit - replay.crossings)):
                await asyncio.to_thread(drive, replay.feed(page))
                last = page[-1].crossing.occurred_at
                after = (last, page[-1].id)
                if replay.crossings >= limit:
                    break
            complete = replay.crossings < limit
            until = before if complete else last
            return await asyncio.to_thread(drive, replay.end(since, until, complete=complete, first=first))

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

    async def _notes(self, playbook: Playbook, *, force: bool) -> list[str]:
        async with self._transactions.begin() as store:
            thrown = await store.switches.all()
        notes = [
            f"{'Everything' if name == EVERYTHING else name} is {switch.state} now ({switch.reason}): left out here."
            for name, switch in thrown.items()
            if name in (EVERYTHING, playbook.name) and switch.state != "active"
        ]
        return (
            [*notes, "The rules of entry were left out: audience, holdout, limits, once_per."]
            if force
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
