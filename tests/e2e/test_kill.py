"""`kill -9` of every service during an import, on Apache Kafka: the same final states, no crossing lost or doubled."""

import asyncio
import csv
import random
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import text
from tests.support.brokers import Broker, apache
from tests.support.logs import read
from tests.support.stack import Stack, running_stack
from tests.support.waiting import eventually

from csm_common.database.engine import create_engine
from csm_common.ids import derived_id
from health_score.adapters.accounts import PostgresAccounts
from health_score.adapters.state_codec import StateCodec
from health_score.application.scorecard_file import default_scorecard
from health_score.domain.account import AccountState, fold
from health_score.domain.compiled import compile_card
from health_score.domain.fact import Fact
from health_score.domain.look import assess
from health_score.domain.model import Choice, build_model
from health_score.domain.thresholds import OUTSIDE

pytestmark = pytest.mark.kafka

EVENTS = 20_000
ACCOUNTS = 60
SERVICES = ("health-score", "ingest", "playbooks", "notifier")
CARD = compile_card(default_scorecard())
MODEL = build_model(1, [Choice(CARD)])

MAPPING = """
name: history
sections:
  - name: facts
    files: "*.csv"
    format: csv
    subject: account
    time: time
    facts:
      - type: csm.ticket.changed
        when: {kind: [open, solved]}
        data:
          ticket_id: item
          status: kind
          priority: {const: urgent}
          escalated: {const: true}
      - type: csm.usage.recorded
        data: {feature: item}
"""

Row = tuple[str, datetime, str, str]


def made_up(seed: int) -> list[Row]:
    """A month of usage and tickets in the order of time, no two at the same instant: accounts get worse and better."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible set, no secret
    now = datetime.now(UTC).replace(microsecond=0)
    rows: list[Row] = []
    for number in range(EVENTS):
        account = f"acct-{chance.randrange(ACCOUNTS)}"
        time = now - timedelta(days=30) * (1 - number / EVENTS)
        if chance.random() < 0.4 or account.endswith(
            ("1", "3", "5", "7", "9")
        ):  # of half of them only tickets are known
            kind, item = chance.choice(("open", "solved")), f"{account}-t{chance.randrange(3)}"
        else:
            kind, item = "used", f"feature-{number % 9}"
        rows.append((account, time, kind, item))
    return rows


def reference(rows: list[Row]) -> dict[str, AccountState]:
    """The states that folding every row once gives."""
    states: dict[str, AccountState] = {}
    for number, (account, time, kind, item) in enumerate(rows):
        state = states.setdefault(account, AccountState(account))
        data = (
            {"feature": item}
            if kind == "used"
            else {"ticket_id": item, "status": kind, "priority": "urgent", "escalated": True}
        )
        type_ = "csm.usage.recorded" if kind == "used" else "csm.ticket.changed"
        fold(MODEL, state, Fact(str(number), type_, account, time.timestamp(), data))
    return states


@dataclass(frozen=True, slots=True)
class History:
    """The made-up rows, and the command that imports them."""

    rows: list[Row]
    command: list[str]


@pytest.fixture(scope="module")
async def broker() -> AsyncIterator[Broker]:
    async with apache() as running:
        yield running


@pytest.fixture(scope="module")
async def stack(broker: Broker) -> AsyncIterator[Stack]:
    async with running_stack(broker) as running:
        yield running


@pytest.fixture(scope="module")
def history(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> History:
    place = tmp_path_factory.mktemp("history")
    rows = made_up(seed=7)
    (place / "mapping.yaml").write_text(MAPPING)
    with (place / "facts.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("account", "time", "kind", "item"))
        writer.writerows((account, time.isoformat(), kind, item) for account, time, kind, item in rows)
    command = [sys.executable, "-m", "csm_cli.main", "import", str(place / "facts.csv")]
    options = [
        "--mapping",
        str(place / "mapping.yaml"),
        "--stack",
        str(stack.home / "stack.json"),
        "--batch",
        "100",
    ]
    return History(rows, command + options)


async def test_every_fact_counts_once_and_every_crossing_is_told_once(
    stack: Stack, broker: Broker, history: History
) -> None:
    importing = await asyncio.create_subprocess_exec(*history.command)
    for turn, service in enumerate(SERVICES):
        # Each dies while facts are under way: the next one only once the line has moved on.
        await eventually(partial(_consumed, stack, turn * EVENTS // 10 + 1), 120.0, what="facts are folded")
        await stack.restarted(service, stack.kill(service))
    assert await importing.wait() == 0
    await eventually(partial(_consumed, stack, EVENTS), 180.0, what="everything is folded")

    states = await _states(stack)
    now = datetime.now(UTC).timestamp()
    for account, expected in reference(history.rows).items():
        assert assess(CARD, states[account], now).values == pytest.approx(
            assess(CARD, expected, now).values
        ), account
    stats = await stack.stats()
    assert (stats["folded"], stats["dead_lettered"]) == (EVENTS, 0)
    await _crossings_are_told(states, broker)
    await eventually(partial(_each_crossing_has_its_run, stack, states), 60.0, what="the runs are there")


async def test_the_same_file_again_changes_nothing(stack: Stack, history: History) -> None:
    before, stats = await _states(stack), await stack.stats()
    importing = await asyncio.create_subprocess_exec(*history.command)
    assert await importing.wait() == 0
    await eventually(partial(_repeated, stack, stats["repeated"] + EVENTS), 180.0, what="all are repeats")
    assert (await stack.stats())["folded"] == EVENTS
    after = await _states(stack)
    assert {each: state.signals for each, state in after.items()} == {
        each: state.signals for each, state in before.items()
    }


async def _consumed(stack: Stack, at_least: int) -> bool:
    try:
        return (await stack.stats())["folded"] >= at_least
    except httpx.HTTPError:
        return False  # health-score is being restarted


async def _repeated(stack: Stack, at_least: int) -> bool:
    return (await stack.stats())["repeated"] >= at_least


async def _states(stack: Stack) -> dict[str, AccountState]:
    engine = create_engine(stack.described["postgres"]["dsn"], schema="health_score")
    try:
        async with engine.connect() as connection:
            accounts = [f"acct-{number}" for number in range(ACCOUNTS)]
            return await PostgresAccounts(StateCodec(lambda: MODEL.signals)).load(connection, accounts)
    finally:
        await engine.dispose()


async def _crossings(broker: Broker, count: int) -> dict[str, dict[str, Any]]:
    """What lies on the topic, by crossing id: a record may be there twice after a crash, always with the same id."""
    records = await read(broker.settings, "health.crossings.v1", count, 60.0)
    return {
        each["id"]: each["data"] for each in (msgspec.json.decode(record.value or b"") for record in records)
    }


async def _crossings_are_told(states: Mapping[str, AccountState], broker: Broker) -> None:
    expected = {
        derived_id("crossing", account, threshold, sequence)
        for account, state in states.items()
        for threshold, stands in state.thresholds.items()
        for sequence in range(1, stands.sequence + 1)
    }
    assert len(expected) >= ACCOUNTS
    told = await _crossings(broker, len(expected))
    assert expected <= told.keys()
    by_threshold: dict[tuple[str, str], list[str]] = defaultdict(list)
    for crossing in told.values():
        by_threshold[crossing["account_id"], crossing["threshold"]].append(crossing["direction"])
    for directions in by_threshold.values():
        assert all(a != b for a, b in pairwise(directions))


async def _each_crossing_has_its_run(stack: Stack, states: Mapping[str, AccountState]) -> bool:
    """playbooks decided about every `at_risk` that was entered: a run, or a refusal with its reason."""
    entered = {
        derived_id("crossing", account, "at_risk", sequence)
        for account, state in states.items()
        for sequence in range(1, state.thresholds.get("at_risk", OUTSIDE).sequence + 1, 2)
    }
    engine = create_engine(stack.described["postgres"]["dsn"], schema="playbooks")
    try:
        async with engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT crossing_id, run_id, reason FROM entries WHERE playbook = 'account_at_risk'")
            )
            decided = {row.crossing_id: row.run_id or row.reason for row in rows}
    finally:
        await engine.dispose()
    return entered <= {crossing for crossing, outcome in decided.items() if outcome}
