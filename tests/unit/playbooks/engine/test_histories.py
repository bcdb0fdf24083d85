"""Runs of all versions go on as they began: what was decided by the build that recorded a history is decided by this one.

To record one, in the root of the repository:

    python -m tests.unit.playbooks.engine.replay PLAYBOOK.yaml …

writes tests/unit/playbooks/histories/NAME.json. A history is never recorded again: a change that breaks one would have runs
that are on their way go on differently. `stored_0001.json` has definitions as the first version of the tables kept them.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.playbooks.builders import a_crossing, a_definition, received
from tests.unit.playbooks.engine.examples import notify, wait
from tests.unit.playbooks.engine.replay import (
    HISTORIES,
    History,
    covers,
    made_up_events,
    record,
    replayed,
)
from tests.unit.playbooks.engine.service import Service
from tests.unit.playbooks.engine.tables import MemoryTables

from playbooks.adapters.definitions import content_hash, decode_definition, encode_definition
from playbooks.adapters.memory.store import MemoryDatabase

STORED = HISTORIES / "stored_0001.json"
RECORDED = sorted(file for file in HISTORIES.glob("*.json") if file != STORED)
BEFORE = msgspec.json.decode(STORED.read_bytes())


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_recorded_history_is_decided_as_it_was(file: Path) -> None:
    history = msgspec.json.decode(file.read_bytes(), type=History)
    decisions = replayed(history)
    for number, (now, then) in enumerate(zip(decisions, history.decisions, strict=True)):
        assert covers(now, then), f"decision {number} of {file.name}: {now} instead of {then}"


def test_the_histories_have_all_kinds_of_steps_effects_and_ends() -> None:
    told: dict[str, set[str]] = {"kind": set(), "effect": set(), "status": set()}
    for file in RECORDED:
        for each in msgspec.json.decode(file.read_bytes(), type=History).decisions:
            told["status"].add(each["run"]["status"])
            told["kind"].add(each.get("result", {}).get("kind", ""))
            told["effect"].add(each.get("effect", {}).get("kind", ""))
    assert told["kind"] >= {
        "notify",
        "wait",
        "wait_until",
        "branch",
        "task",
        "webhook",
        "split",
        "approve",
        "end",
    }
    assert told["effect"] >= {"RequestNotification", "OpenTask", "CallWebhook", "AskApproval"}


def test_recording_gives_what_is_replayed() -> None:
    definition = encode_definition(a_definition(steps=(notify(), wait())))
    history = msgspec.json.decode(record(definition, made_up_events("x")), type=History)
    assert covers(replayed(history), history.decisions)
    assert len(history.decisions) == 3


@pytest.mark.parametrize(
    ("new", "old", "same"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, 2], [1], False),
        (1, 2, False),
    ],
    ids=["a member was added", "one is gone", "a decision was added", "another value"],
)
def test_members_may_be_added_and_nothing_else(new: Any, old: Any, same: bool) -> None:
    assert covers(new, old) is same


# ---- what the version before has stored


@pytest.mark.parametrize("stored", BEFORE, ids=lambda stored: stored["definition"]["name"])
def test_a_definition_of_the_version_before_is_the_same_version_still(stored: dict[str, Any]) -> None:
    definition = decode_definition(msgspec.json.encode(stored["definition"]))
    assert content_hash(encode_definition(definition)) == stored["hash"]


@pytest.mark.parametrize("stored", BEFORE, ids=lambda stored: stored["definition"]["name"])
async def test_a_definition_of_the_version_before_still_runs(stored: dict[str, Any]) -> None:
    definition = decode_definition(msgspec.json.encode(stored["definition"]))
    database = MemoryDatabase()
    service = Service(database, MemoryTables(database))
    await service.publish(definition)
    trigger = definition.trigger
    crossing = a_crossing(threshold=trigger.threshold, direction=trigger.direction)
    await service.receive(received("c-1", crossing))
    await service.later(timedelta(days=30))
    assert (await service.run()).status == "completed"
    assert [step for step, _ in await service.path()] == [each.name for each in definition.steps]
