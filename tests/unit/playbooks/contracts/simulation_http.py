"""What the HTTP door to simulations must do; run on the store in memory in unit/ and on PostgreSQL in integration/."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.support.clock import START, ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.playbooks.builders import a_crossing, a_snapshot, received, received_snapshot
from tests.unit.playbooks.contracts.rows import DAY, HOUR

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from playbooks.adapters.definitions import parse_definition
from playbooks.adapters.memory.lab import MemoryLab
from playbooks.application.handlers.crossings import handle_crossings
from playbooks.application.handlers.steps import Rules
from playbooks.application.model import Switch
from playbooks.application.ports import Transactions
from playbooks.application.reads import Reads
from playbooks.application.simulation_desk import SimulationDesk
from playbooks.application.simulation_history import Past
from playbooks.entrypoints.simulation_api import create_simulation_router

FILE = Path(__file__).parents[4] / "docs/examples/playbooks/usage_recovers.yaml"
TEXT = FILE.read_text(encoding="utf-8")
NAMED = "/v1/playbooks/usage_recovers:simulate"
WRITTEN = "/v1/playbooks:simulate"
HISTORY = "/v1/playbooks:simulate-history"


@dataclass(frozen=True, slots=True)
class Service:
    """What a simulation may read."""

    transactions: Transactions
    reads: Reads
    past: Past
    counts: Callable[[], Awaitable[dict[str, int]]]
    """How many rows each table has."""


async def simulation_app(service: Service) -> FastAPI:
    """The door, with the example in force and acme known; `app.state.token` opens it."""
    definition = parse_definition(TEXT, "usage_recovers.yaml")
    big = a_snapshot("acme", score=40.0, attributes={"owner": "maria", "arr": 250000.0})
    async with service.transactions.begin() as store:
        await store.playbooks.ship([definition], START)
        await store.accounts.save([received_snapshot(big)])
    keys, clock = MemoryKeys(), ManualClock()
    desk = SimulationDesk(MemoryLab(Rules()), service.transactions, service.reads, service.past, clock)
    app = create_web_app(
        title="playbooks",
        description="",
        authenticator=Authenticator(keys, clock),
        routers=[create_simulation_router(desk)],
        ready={},
        alive={},
    )
    app.state.token = keys.add(scopes=["playbooks:read"], source="console")
    return app


async def fallen(service: Service) -> None:
    """Twelve accounts fall within three hours; every third is in no audience, and one comes back."""
    crossings = [
        received(
            f"c-{n}",
            a_crossing(
                f"account-{n}",
                "usage_falling",
                occurred_at=START - 40 * DAY + n // 4 * HOUR,
                snapshot=a_snapshot(
                    f"account-{n}", attributes={"stage": "churned" if n % 3 == 0 else "live"}
                ),
            ),
        )
        for n in range(12)
    ]
    back = a_crossing("account-1", "usage_falling", "left", occurred_at=START - 39 * DAY)
    async with service.transactions.begin() as store:
        await store.crossings.remember([*crossings, received("c-back", back)], START)


class SimulationHttpContract:
    """Subclass it with a fixture `service` over an empty store."""

    @pytest.fixture
    async def app(self, service: Service) -> FastAPI:
        return await simulation_app(service)

    @pytest.fixture
    async def client(self, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": f"Bearer {app.state.token}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            yield client

    # ---- one account

    async def test_an_account_is_taken_through_step_by_step(self, client: httpx.AsyncClient) -> None:
        body = {"account_id": "acme", "for": "30d", "approvals": {"ask": {"said": "approved", "after": "4h"}}}
        walk = await answer(client, NAMED, body)
        assert (walk["playbook"], walk["version"], walk["account_id"]) == ("usage_recovers", 1, "acme")
        assert walk["entry"]["outcome"] == "started"
        [run] = walk["runs"]
        taken = [
            (each["at"], each["step"], each["outcome"]) for each in run["timeline"] if each["what"] == "step"
        ]
        assert taken == [
            ("2026-03-02T09:00:00Z", "tell", "requested"),
            ("2026-03-04T09:00:00Z", "pause", "waited"),
            ("2026-03-04T09:00:00Z", "morning", "waited"),
            ("2026-03-18T09:00:00Z", "recovered", "timed_out"),
            ("2026-03-18T09:00:00Z", "call", "opened"),
            ("2026-03-18T09:00:00Z", "by_size", "taken"),
            ("2026-03-18T13:00:00Z", "ask", "approved"),
            ("2026-03-18T13:00:00Z", "crm", "called"),
        ]
        assert run["run"]["status"] == "completed"
        assert [each["template"] for each in walk["messages"]] == ["usage_falling"]
        assert [(each["type"], each["owner"]) for each in walk["tasks"]] == [("rescue", "maria")]
        assert [(each["step"], each["status"]) for each in walk["approvals"]] == [("ask", "approved")]
        assert [(each["endpoint"], each["body"]["data"]) for each in walk["webhooks"]] == [
            ("crm", {"stage": "workshop"})
        ]

    @pytest.mark.parametrize("definition", [TEXT, {"name": "x", "title": "X", "steps": [{"name": "a", "wait": "1d"}],
        "trigger": {"threshold": "usage_falling", "direction": "entered"}}], ids=["yaml", "json"])  # fmt: skip
    async def test_a_playbook_need_not_be_stored(
        self, client: httpx.AsyncClient, definition: str | dict[str, Any]
    ) -> None:
        body = {"definition": definition, "at": "2027-01-04T12:00:00+01:00", "snapshot": {"score": 30}}
        walk = await answer(client, WRITTEN, body)
        assert (walk["account_id"], walk["at"]) == ("simulated", "2027-01-04T11:00:00Z")
        assert walk["entry"]["outcome"] == "started"
        assert walk["runs"][0]["run"]["status"] == "completed"

    async def test_later_states_come_at_their_instants(self, client: httpx.AsyncClient) -> None:
        recovers = {"account_id": "acme", "snapshots": [{"after": "5d", "score": 80}]}
        walk = await answer(client, NAMED, recovers)
        [met] = [each for each in walk["runs"][0]["timeline"] if each["step"] == "recovered"]
        assert (met["at"], met["outcome"]) == ("2026-03-07T09:00:00Z", "met")
        leaves = {
            "account_id": "acme",
            "snapshots": [{"at": "2026-03-03T09:00:00Z", "left": ["usage_falling"]}],
        }
        walk = await answer(client, NAMED, leaves)
        assert (walk["runs"][0]["run"]["status"], walk["tasks"]) == ("exited", [])

    async def test_who_would_not_enter_is_told_why_and_can_be_taken_through_all_the_same(
        self, client: httpx.AsyncClient
    ) -> None:
        churned = {"account_id": "acme", "snapshot": {"attributes": {"stage": "churned"}}}
        walk = await answer(client, NAMED, churned)
        assert (walk["entry"]["outcome"], walk["entry"]["code"], walk["runs"]) == ("refused", "audience", [])
        walk = await answer(client, NAMED, {**churned, "force": True})
        assert walk["entry"]["outcome"] == "started"
        assert any("left out" in each for each in walk["notes"])

    async def test_with_its_runs_an_account_can_be_in_its_own_way(
        self, service: Service, client: httpx.AsyncClient
    ) -> None:
        async with service.transactions.begin() as store:
            crossing = a_crossing(threshold="usage_falling", occurred_at=START - HOUR)
            await handle_crossings(store, [received("c-1", crossing)], START - HOUR)
        walk = await answer(client, NAMED, {"account_id": "acme", "with_runs": True})
        assert walk["entry"]["code"] == "already_active"
        walk = await answer(client, NAMED, {"account_id": "acme"})
        assert walk["entry"]["outcome"] == "started"

    async def test_with_the_others_a_higher_priority_comes_first(
        self, service: Service, client: httpx.AsyncClient
    ) -> None:
        text = TEXT.replace("usage_recovers", "urgent") + "purpose: usage_recovers\npriority: 5\n"
        definitions = [parse_definition(each, "test") for each in (TEXT, text)]
        async with service.transactions.begin() as store:
            await store.playbooks.ship(definitions, START)
        walk = await answer(client, NAMED, {"account_id": "acme", "with_others": True})
        assert (walk["entry"]["outcome"], walk["entry"]["code"]) == ("refused", "purpose_active")
        assert (walk["messages"], walk["tasks"]) == ([], [])
        walk = await answer(client, NAMED, {"account_id": "acme"})
        assert walk["entry"]["outcome"] == "started"

    async def test_a_paused_playbook_is_simulated_and_said_to_be_paused(
        self, service: Service, client: httpx.AsyncClient
    ) -> None:
        async with service.transactions.begin() as store:
            await store.switches.throw(
                Switch(name="usage_recovers", state="paused", reason="holidays", actor="person:ana", at=START)
            )
        walk = await answer(client, NAMED, {"account_id": "acme"})
        assert walk["entry"]["outcome"] == "started"
        assert walk["notes"] == ["usage_recovers is paused now (holidays): left out here."]

    @pytest.mark.parametrize(
        ("path", "body", "status", "told"),
        [
            ("/v1/playbooks/nothing:simulate", {}, 404, "no active version of nothing"),
            (f"{NAMED}?version=7", {}, 404, "no version 7 of usage_recovers"),
            (NAMED, {"account_id": "nobody"}, 404, "no account 'nobody'"),
            (NAMED, {"approvals": {"tell": "approved"}}, 400, "no approve step 'tell'; there are: ask"),
            (NAMED, {"until": "2026-03-01T09:00:00Z"}, 400, "must lie within"),
            (NAMED, {"until": "2026-03-09T09:00:00Z", "for": "2d"}, 400, "not both"),
            (NAMED, {"snapshots": [{"score": 3}]}, 400, "either `at`"),
            (NAMED, {"snapshots": [{"at": "2026-01-01T09:00:00Z"}]}, 400, "before the start"),
            (NAMED, {"for": "soon"}, 422, None),
            (NAMED, {"at": "9999-12-31T23:59:59Z"}, 422, None),
            (NAMED, {"with_runs": True}, 400, "needs an `account_id`"),
            (WRITTEN, {"definition": TEXT.replace("wait: 2d", "wait: 2y")}, 400, "definition:11:25: steps.1.wait"),
            (HISTORY, {"from": "2026-03-01T09:00:00Z", "to": "2026-03-02T09:00:00Z"}, 400, "`name`"),
            (HISTORY, {"name": "usage_recovers", "from": "2026-03-02T09:00:00Z", "to": "2026-03-01T09:00:00Z"}, 400, "not after"),
        ],
        ids=lambda each: None,
    )  # fmt: skip
    async def test_what_cannot_be_simulated_is_told(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int, told: str | None
    ) -> None:
        answered = await client.post(path, json=body)
        assert answered.status_code in (status, 400)
        assert told is None or told in answered.json()["message"]

    # ---- the past

    @pytest.fixture
    async def past(self, service: Service, app: FastAPI) -> None:
        await fallen(service)

    @pytest.mark.usefixtures("past")
    async def test_the_past_is_played_and_added_up(self, client: httpx.AsyncClient) -> None:
        times = {"from": "2026-01-01T00:00:00Z", "to": "2026-03-02T09:00:00Z"}
        found = await answer(client, HISTORY, {"name": "usage_recovers", **times, "first": 2})
        assert (found["crossings"], found["accounts"], found["triggers"]) == (13, 12, 12)
        assert (found["entered"], found["refused"], found["complete"]) == (8, {"audience": 4}, True)
        assert [each["count"] for each in found["starts_by_hour"]] == [2, 3, 3]
        assert found["peak_starts"] == {"hour": "2026-01-21T10:00:00Z", "count": 3}
        assert {each["step"]: each["count"] for each in found["asked"]} == {"tell": 8, "call": 7}
        assert found["runs"] == {"completed": 7, "exited": 1}
        assert found["ended_by"] == {"completed": 7, "usage_falling was left": 1}
        assert [each["account_id"] for each in found["first"]] == ["account-1", "account-2"]
        assert "at its crossings alone" in found["notes"][0]

    @pytest.mark.usefixtures("past")
    async def test_the_past_is_played_among_the_others(
        self, service: Service, client: httpx.AsyncClient
    ) -> None:
        text = TEXT.replace("usage_recovers", "urgent") + "purpose: usage_recovers\npriority: 5\n"
        definitions = [parse_definition(each, "test") for each in (TEXT, text)]
        async with service.transactions.begin() as store:
            await store.playbooks.ship(definitions, START)
        times = {"from": "2026-01-01T00:00:00Z", "to": "2026-03-02T09:00:00Z"}
        found = await answer(client, HISTORY, {"name": "usage_recovers", **times, "with_others": True})
        assert (found["entered"], found["refused"]) == (0, {"purpose_active": 8, "audience": 4})
        assert (found["asked"], found["peak_messages"], found["peak_starts"]) == ([], None, None)

    async def test_the_past_counts_calls_as_well(self, service: Service, client: httpx.AsyncClient) -> None:
        hook = "  - {name: note, webhook: {endpoint: crm}}\n"
        crossing = a_crossing("acme", "usage_falling", occurred_at=START - 9 * DAY)
        async with service.transactions.begin() as store:
            await store.crossings.remember([received("c-1", crossing)], START)
        times = {"from": "2026-01-01T00:00:00Z", "to": "2026-03-02T09:00:00Z"}
        text = TEXT.replace("  - {name: pause, wait: 2d}\n", hook)
        found = await answer(client, HISTORY, {"definition": text, **times})
        assert [(each["step"], each["kind"], each["what"]) for each in found["asked"]] == [
            ("note", "webhook", "crm"),
            ("tell", "notify", "usage_falling"),
        ]
        assert found["runs"] == {"active": 1}

    @pytest.mark.usefixtures("past")
    async def test_a_limit_cuts_the_time_short(self, client: httpx.AsyncClient) -> None:
        times = {"from": "2026-01-01T00:00:00Z", "to": "2026-03-02T09:00:00Z"}
        found = await answer(client, HISTORY, {"definition": TEXT, **times, "limit": 5})
        assert (found["crossings"], found["complete"]) == (5, False)
        assert found["until"] == "2026-01-21T10:00:00Z"

    @pytest.mark.usefixtures("past")
    async def test_a_playbook_that_would_have_paused_itself_says_so(self, client: httpx.AsyncClient) -> None:
        limited = TEXT + "limits: {starts_per_hour: 2}\n"
        times = {"from": "2026-01-01T00:00:00Z", "to": "2026-03-02T09:00:00Z"}
        found = await answer(client, HISTORY, {"definition": limited, **times})
        assert found["entered"] == 4
        assert any("paused itself at 2026-01-21T10" in each for each in found["notes"])

    # ---- nothing else

    @pytest.mark.usefixtures("past")
    async def test_nothing_lasts_and_nothing_leaves(
        self, service: Service, client: httpx.AsyncClient
    ) -> None:
        before = await service.counts()
        body = {
            "account_id": "acme",
            "with_runs": True,
            "approvals": {"ask": "approved"},
            "tasks": {"call": "reached"},
        }
        await answer(client, NAMED, body)
        await answer(client, WRITTEN, {**body, "definition": TEXT})
        times = {"from": "2026-01-01T00:00:00Z", "to": "2026-03-02T09:00:00Z"}
        await answer(client, HISTORY, {"name": "usage_recovers", **times})
        assert await service.counts() == before
        assert before["outbox"] == 0

    async def test_a_key_must_be_allowed_to_read(self, app: FastAPI, client: httpx.AsyncClient) -> None:
        refused = await client.post(NAMED, json={}, headers={"Authorization": "Bearer nothing"})
        assert refused.status_code == 401


async def answer(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body of a 200."""
    found = await client.post(path, json=body)
    assert found.status_code == 200, found.text
    answered: dict[str, Any] = found.json()
    return answered
