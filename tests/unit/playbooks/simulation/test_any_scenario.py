"""Whatever is asked of a simulation, there is an answer or a refusal; and every shipped playbook can be played."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.playbooks.contracts.simulation_http import NAMED, Service, simulation_app

from playbooks.adapters.definitions import load_directory
from playbooks.adapters.memory.past import MemoryPast
from playbooks.adapters.memory.reads import MemoryReads
from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.domain.definition import Definition
from playbooks.settings import SHIPPED
from playbooks.testing_setting import Setting
from playbooks.testing_world import World

NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers()
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
)
KNOWN = {"owner": "maria", "arr": 5e5, "stage": "live", "renewal_date": "2026-08-01"}
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
LENGTHS = st.sampled_from(["1s", "30m", "4h", "2d", "12w", "99999w", "soon"])
INSTANTS = st.sampled_from(
    ["2026-03-02T09:00:00Z", "2199-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "now", ""]
)
NAMES = st.sampled_from(["usage_falling", "critical", "", "x" * 600, "nul\0"]) | st.text(max_size=5)
ATTRIBUTES = st.dictionaries(st.sampled_from(["stage", "arr", "owner", "timezone", "name"]), VALUES)
STATE: dict[str, st.SearchStrategy[Any]] = {
    "score": NUMBERS,
    "band": st.none() | st.text(max_size=5),
    "attributes": ATTRIBUTES,
    "measures": st.dictionaries(NAMES, NUMBERS, max_size=2),
    "thresholds": st.none() | st.lists(NAMES, max_size=3),
}
LATER = st.fixed_dictionaries(
    {},
    optional={
        **STATE,
        "at": INSTANTS,
        "after": LENGTHS,
        "left": st.lists(NAMES, max_size=2),
        "entered": st.lists(NAMES, max_size=2),
    },
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "account_id": st.sampled_from(["acme", "nobody", "nul\0"]),
        "snapshot": st.fixed_dictionaries({}, optional=STATE),
        "at": INSTANTS,
        "until": INSTANTS,
        "for": LENGTHS,
        "snapshots": st.lists(LATER, max_size=3),
        "approvals": st.dictionaries(
            st.sampled_from(["ask", "tell"]), st.sampled_from(["approved", "rejected", "none", "maybe"])
        ),
        "tasks": st.dictionaries(st.sampled_from(["call", "tell"]), st.text(max_size=5)),
        "webhooks": st.dictionaries(st.just("crm"), st.integers(0, 700)),
        "force": st.booleans(),
        "with_runs": st.booleans(),
    },
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    database = MemoryDatabase()

    async def counts() -> dict[str, int]:
        return {}

    service = Service(database, MemoryReads(database.state), MemoryPast(database.state), counts)
    app = await simulation_app(service)
    headers = {"Authorization": f"Bearer {app.state.token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", headers=headers
    ) as client:
        yield client


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
async def test_there_is_an_answer_or_a_refusal(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answered = await client.post(NAMED, json=body)
    assert answered.status_code in (200, 400, 404, 422), answered.text
    assert answered.json()


@pytest.mark.parametrize("definition", load_directory(SHIPPED), ids=lambda each: each.name)
@pytest.mark.parametrize("attributes", [{}, KNOWN], ids=["unknown", "known"])
def test_every_shipped_playbook_can_be_played(definition: Definition, attributes: dict[str, Any]) -> None:
    world = World([definition], Setting())
    world.account("acme", score=40, attributes=attributes)
    world.cross(definition.trigger.threshold, definition.trigger.direction)
    world.advance("365d")
    assert world.entry is not None
    if world.entry.outcome == "started":
        assert world.run.status in ("completed", "exited", "active")
        assert world.run.error is None
