"""A product that sends calls of its SDK through the door on fakes, and what became of them, for the tests of the intake."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.unit.ingest.door import Door
from tests.unit.ingest.rejections.fakes import MemoryRejectionReads

from csm_common.contracts.topics import CUSTOMER_EVENTS
from ingest.adapters.configuration import Configuration
from ingest.application.rejection_views import RejectionFilter

COUNTS = ("accepted", "duplicates", "held", "rejected")


async def send(door: Door, *calls: dict[str, Any]) -> dict[str, int]:
    """How many calls of one request became what; what none became is left out."""
    answer = await door.client.post("/v1/batch", json={"batch": list(calls)})
    assert answer.status_code == 200, answer.text
    return {name: answer.json()[name] for name in COUNTS if answer.json()[name]}


def facts(door: Door) -> list[dict[str, Any]]:
    """All that is on the log or will be: what was let go after waiting is in the outbox."""
    waiting = [each for each in door.store.tables.outbox.messages if each.topic == CUSTOMER_EVENTS.name]
    return [json.loads(each.value or b"") for each in (*door.facts, *waiting)]


def accounts(door: Door) -> dict[str, str]:
    """The account of each fact by its id; a fact that is there twice must say the same twice."""
    found: dict[str, dict[str, Any]] = {}
    for fact in facts(door):
        known = found.setdefault(fact["id"], fact)
        assert [known[name] for name in ("type", "subject", "data")] == [
            fact[name] for name in ("type", "subject", "data")
        ]
    return {key: fact["subject"] for key, fact in found.items()}


async def listed(door: Door, now: datetime | None = None) -> dict[str | None, str]:
    """What an operator sees of open rejections: their codes by the messages' ids."""
    reads = MemoryRejectionReads(door.store.tables.rejections)
    page = await reads.page(RejectionFilter(), now or door.clock.now(), before=None, limit=500)
    return {view.message_id: view.code for _, view in page}


def restarted(door: Door, configuration: dict[str, Any] | None = None) -> Door:
    """Another process over the same tables and brokers, which remembers nothing; with a configuration of its own, if told."""
    if configuration is None:
        return replace(door)
    return replace(door, configuration=Configuration.model_validate(configuration))
