"""What managing playbooks over REST must do; run in memory in unit/ and on PostgreSQL in integration/."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.support.clock import START, ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.playbooks.builders import TASK, WAIT, a_crossing, a_definition, a_run, received

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from playbooks.adapters.definition_documents import DefinitionDocuments
from playbooks.adapters.definition_schema import definition_schema
from playbooks.adapters.definitions import definition_yaml
from playbooks.application.handlers.definitions import publish
from playbooks.application.managing import Managing
from playbooks.application.managing_ports import Managements
from playbooks.application.ports import Transactions
from playbooks.application.switching import Switching
from playbooks.entrypoints.definitions_api import create_definitions_router

Audited = Callable[[], Awaitable[list[tuple[str, str, str]]]]
"""Actor, action and subject of all that is in the audit, in its order."""

V1 = """\
name: welcome  # as people say
title: Welcome
trigger: {threshold: active, direction: entered}
steps:
  - {name: pause, wait: 1d}
  - {name: crm, webhook: {endpoint: crm}}
"""
V2 = V1.replace("1d", "2d").replace("title: Welcome", "title: Welcome\npriority: 5")
V3 = V1.replace("1d", "3d")
YAML = {"content-type": "application/yaml"}


class Client:
    """Asks as a key that may write; answers are checked for their status."""

    def __init__(self, http: httpx.AsyncClient, woken: list[None], clock: ManualClock) -> None:
        self.http, self.woken, self.clock = http, woken, clock

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        answer = await self.http.get(f"/v1{path}", params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, status: int = 200, **query: Any) -> Any:
        self.clock.advance(timedelta(seconds=1))
        sent = {"content": body, "headers": YAML} if isinstance(body, str) else {"json": body}
        answer = await self.http.post(f"/v1{path}", params=query, **sent)
        assert answer.status_code == status, answer.text
        return answer.json()


@asynccontextmanager
async def a_client(store: Managements) -> AsyncIterator[Client]:
    """Of the routes over a store, with a key that speaks for ana; the settings know the endpoint crm."""
    keys, clock, woken = MemoryKeys(), ManualClock(), list[None]()
    managing = Managing(store, DefinitionDocuments(), ["crm"], clock)
    switching = Switching(store, clock, lambda: woken.append(None))
    app = create_web_app(
        title="playbooks",
        description="",
        authenticator=Authenticator(keys, clock),
        routers=[create_definitions_router(managing, switching, definition_schema())],
        ready={},
        alive={},
    )
    token = keys.add("writer", scopes=["playbooks:read", "playbooks:write"], source="console")
    headers = {"Authorization": f"Bearer {token}", "X-CSM-Person": "ana"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://playbooks", headers=headers
    ) as http:
        yield Client(http, woken, clock)


class ManagingContract:
    """Subclass it with fixtures `client`, `transactions` and `audited` over one empty store."""

    async def test_a_document_becomes_a_version_that_starts_nothing_until_it_is_activated(
        self, client: Client, transactions: Transactions
    ) -> None:
        made = await client.post("/playbooks/welcome/versions", V1, 201, note="first")
        assert (made["name"], made["version"], made["created"]) == ("welcome", 1, True)
        [shown] = (await client.get("/playbooks"))["playbooks"]
        assert (shown["state"], shown["active_version"], shown["newest_version"]) == ("inactive", None, 1)
        async with transactions.begin() as store:
            assert await store.playbooks.active() == []
        changed = await client.post("/playbooks/welcome:activate", {"version": 1})
        assert (changed["version"], changed["changed"]) == (1, True)
        async with transactions.begin() as store:
            [active] = await store.playbooks.active()
        assert (active.name, active.version, active.definition.title) == ("welcome", 1, "Welcome")
        [shown] = (await client.get("/playbooks"))["playbooks"]
        assert (shown["state"], shown["active_version"]) == ("active", 1)
        assert shown["trigger"] == {"threshold": "active", "direction": "entered"}

    async def test_what_says_the_same_is_the_version_there_is(self, client: Client) -> None:
        await client.post("/playbooks", V1, 201)
        again = await client.post("/playbooks", V1.replace("  # as people say", ""), 200)
        assert (again["version"], again["created"]) == (1, False)
        as_json = {
            "name": "welcome",
            "title": "Welcome",
            "trigger": {"threshold": "active", "direction": "entered"},
            "steps": [{"name": "pause", "wait": "1d"}, {"name": "crm", "webhook": {"endpoint": "crm"}}],
        }
        assert (await client.post("/playbooks", as_json, 200))["version"] == 1

    async def test_a_document_of_another_playbook_is_refused(self, client: Client) -> None:
        refused = await client.post("/playbooks/other/versions", V1, 400)
        assert "is of the playbook welcome, not other" in refused["message"]

    async def test_mistakes_are_told_with_their_places_and_nothing_is_kept(self, client: Client) -> None:
        wrong = V1.replace("wait: 1d", "wait: {tim: 9}").replace("title: Welcome", "title: ''")
        checked = await client.post("/playbooks:validate", wrong)
        assert checked == {
            "valid": False,
            "mistakes": [
                {
                    "line": 5,
                    "column": 26,
                    "member": "steps.0.wait.tim",
                    "message": "there is no such member; did you mean time?",
                }
            ],
            "warnings": [],
        }
        refused = await client.post("/playbooks", wrong, 400)
        assert (refused["code"], refused["errors"]) == ("invalid_playbook", checked["mistakes"])
        assert await client.get("/playbooks") == {"playbooks": []}

    async def test_what_looks_wrong_is_told_as_a_warning(
        self, client: Client, transactions: Transactions
    ) -> None:
        async with transactions.begin() as store:
            await store.crossings.remember([received("c-1", a_crossing(threshold="at_risk"))], START)
        text_ = V1.replace("endpoint: crm", "endpoint: mrc").replace(
            "steps:", "exit_when: {left: [at_risk], condition: \"'lost' in thresholds\"}\nsteps:"
        )
        checked = await client.post(
            "/playbooks:validate", text_ + "  - {name: x, end: {reason: r}}\n  - {name: y, wait: 1d}\n"
        )
        assert checked["valid"]
        assert [(each["line"], each["member"]) for each in checked["warnings"]] == [
            (3, "trigger.threshold"),
            (4, "exit_when.condition"),
            (7, "steps.1.webhook.endpoint"),
            (9, "steps.3"),
        ]
        assert (await client.post("/playbooks:validate", V1))["warnings"][0]["member"] == "trigger.threshold"

    async def test_a_version_is_told_as_json_and_as_a_file(self, client: Client) -> None:
        await client.post("/playbooks", V1, 201, note="why")
        found = await client.get("/playbooks/welcome/versions/1")
        assert (found["author"], found["note"]) == ("person:ana via key:console", "why")
        assert found["playbook"]["steps"][0] == {"name": "pause", "wait": "1d"}
        file = await client.http.get(
            "/v1/playbooks/welcome/versions/1", headers={"accept": "application/yaml"}
        )
        assert file.headers["content-type"].startswith("application/yaml")
        again = await client.post("/playbooks", file.text, 200)
        assert again["version"] == 1
        refused = await client.get("/playbooks/welcome/versions/9", 404)
        assert refused["message"] == "There is no version 9 of the playbook welcome; there are 1."

    async def test_versions_are_compared_member_by_member(self, client: Client) -> None:
        for each in (V1, V2):
            await client.post("/playbooks", each, 201)
        found = await client.get("/playbooks/welcome/diff", **{"from": 1, "to": 2})
        assert found["text"] == "+ priority: 5\n~ steps.pause.wait: 1d → 2d"
        assert found["changes"][1] == {
            "member": "steps.pause.wait",
            "change": "changed",
            "before": "1d",
            "after": "2d",
        }
        assert (await client.get("/playbooks/welcome/diff", **{"from": 1, "to": 1}))["text"] == ""

    async def test_going_back_twice_goes_back_two_versions(self, client: Client) -> None:
        for number, each in enumerate((V1, V2, V3), 1):
            await client.post("/playbooks", each, 201)
            await client.post("/playbooks/welcome:activate", {"version": number, "note": "onwards"})
        assert (await client.post("/playbooks/welcome:rollback"))["version"] == 2
        assert (await client.post("/playbooks/welcome:rollback", {"note": "still wrong"}))["version"] == 1
        assert (await client.post("/playbooks/welcome:rollback", status=409))["code"] == "nothing_before"
        card = await client.get("/playbooks/welcome")
        assert [(each["version"], each["active"], len(each["in_force"])) for each in card["versions"]] == [
            (1, True, 2), (2, False, 2), (3, False, 1),
        ]  # fmt: skip

    async def test_what_was_in_force_before_the_audit_began_can_be_gone_back_to(
        self, client: Client, transactions: Transactions
    ) -> None:
        async with transactions.begin() as store:
            await store.playbooks.ship([a_definition("welcome")], START)
        await client.post("/playbooks", V1, 201)
        await client.post("/playbooks/welcome:activate", {"version": 2})
        assert (await client.post("/playbooks/welcome:rollback"))["version"] == 1
        assert (await client.post("/playbooks/welcome:rollback", status=409))["code"] == "nothing_before"

    async def test_runs_in_flight_are_told_by_version_and_step_and_go_on(
        self, client: Client, transactions: Transactions
    ) -> None:
        for each in (V1, V2):
            await client.post("/playbooks", each, 201)
        await client.post("/playbooks/welcome:activate", {"version": 1})
        runs = [a_run(f"run-{n}", playbook="welcome", account_id=f"a{n}", step="pause") for n in range(3)]
        async with transactions.begin() as store:
            await store.crossings.remember([received("crossing-1")], START)
            await store.runs.add(runs)
        changed = await client.post("/playbooks/welcome:activate", {"version": 2})
        assert changed["runs_in_flight"] == [
            {"playbook": "welcome", "version": 1, "step": "pause", "runs": 3}
        ]
        assert changed["told"] == "3 runs in flight go on by the version they began with: 3 by version 1."
        assert (await client.get("/playbooks"))["playbooks"][0]["runs_in_flight"] == 3
        versions = (await client.get("/playbooks/welcome"))["versions"]
        assert [each["runs_in_flight"] for each in versions] == [3, 0]

    async def test_a_playbook_is_paused_resumed_and_archived_once(self, client: Client) -> None:
        await client.post("/playbooks", V1, 201)
        await client.post("/playbooks/welcome:activate", {"version": 1})
        paused = await client.post("/playbooks/welcome:pause", {"reason": "too many"})
        assert (paused["state"], paused["changed"], paused["reason"]) == ("paused", True, "too many")
        assert paused["actor"] == "person:ana via key:console"
        assert not (await client.post("/playbooks/welcome:pause", {"reason": "again"}))["changed"]
        [shown] = (await client.get("/playbooks"))["playbooks"]
        assert (shown["state"], shown["reason"]) == ("paused", "too many")
        assert (await client.post("/playbooks/welcome:resume"))["state"] == "active"
        await client.post("/playbooks/welcome:archive", {"reason": "over"})
        await client.post("/playbooks", V2, 201)
        assert (await client.post("/playbooks/welcome:activate", {"version": 2}, 409))["code"] == "archived"
        await client.post("/playbooks/welcome:resume")
        assert (await client.post("/playbooks/welcome:activate", {"version": 2}))["changed"]
        assert len(client.woken) == 4

    async def test_everything_is_paused_at_once(self, client: Client) -> None:
        assert (await client.get("/engine"))["state"] == "active"
        assert (await client.post("/engine:pause", {"reason": "wrong mails"}))["changed"]
        found = await client.get("/engine")
        assert (found["name"], found["state"], found["reason"]) == ("*", "paused", "wrong mails")
        assert (await client.post("/engine:resume"))["state"] == "active"
        assert not (await client.post("/engine:resume"))["changed"]
        await client.post("/playbooks/*:pause", {"reason": "by the side door"}, 404)

    @pytest.mark.parametrize("what", [":activate", ":rollback", ":pause", ":resume", ":archive"])
    async def test_what_is_not_there_cannot_be_changed(self, client: Client, what: str) -> None:
        body = {":activate": {"version": 1}, ":pause": {"reason": "x"}, ":archive": {"reason": "x"}}.get(what)
        refused = await client.post(f"/playbooks/nope{what}", body, 404)
        assert "There is no playbook 'nope'" in refused["message"]

    async def test_each_change_is_audited_with_its_actor(self, client: Client, audited: Audited) -> None:
        await client.post("/playbooks", V1, 201, note="n")
        await client.post("/playbooks/welcome:activate", {"version": 1})
        await client.post("/playbooks/welcome:activate", {"version": 1})  # nothing new
        await client.post("/playbooks/welcome:pause", {"reason": "r"})
        await client.post("/playbooks/welcome:resume", {"reason": "s"})
        await client.post("/engine:pause", {"reason": "all"})
        rows = await audited()
        assert {actor for actor, _, _ in rows} == {"person:ana via key:console"}
        assert [(action, subject) for _, action, subject in rows] == [
            ("created", "playbook:welcome"),
            ("activated", "playbook:welcome"),
            ("paused", "playbook:welcome"),
            ("resumed", "playbook:welcome"),
            ("paused", "engine"),
        ]

    async def test_a_file_never_takes_back_what_a_person_put_in_force(
        self, client: Client, transactions: Transactions
    ) -> None:
        shipped = a_definition("welcome", steps=(WAIT, TASK))
        await publish(transactions, [shipped, a_definition("other")], client.clock)
        await client.post("/playbooks", V1, 201)
        await client.post("/playbooks/welcome:activate", {"version": 2})
        await publish(transactions, [a_definition("welcome", steps=(TASK,))], client.clock)
        shown = (await client.get("/playbooks"))["playbooks"]
        assert [(each["name"], each["state"], each["active_version"]) for each in shown] == [
            ("other", "inactive", None),
            ("welcome", "active", 2),
        ]
        assert (await client.post("/playbooks/welcome:rollback"))["version"] == 1
        await publish(transactions, [a_definition("welcome", steps=(TASK,))], client.clock)
        versions = (await client.get("/playbooks/welcome"))["versions"]
        assert [(each["version"], each["active"]) for each in versions] == [(1, True), (2, False)]

    async def test_the_schema_is_told_and_large_documents_are_not_read(self, client: Client) -> None:
        assert (await client.get("/playbooks/schema"))["title"] == "Playbook"
        assert (await client.post("/playbooks:validate", "x" * 300_000, 413))["code"] == "too_large"
        answer = await client.http.post("/v1/playbooks:validate", content=b"\xff", headers=YAML)
        assert (answer.status_code, answer.json()["code"]) == (400, "not_utf8")

    async def test_a_whole_definition_of_every_kind_is_kept(self, client: Client) -> None:
        definition = a_definition("welcome", description="ümlaut 😀 \\ \" '")
        made = await client.post("/playbooks", definition_yaml(definition), 201)
        found = await client.get(f"/playbooks/welcome/versions/{made['version']}")
        assert found["playbook"]["description"] == definition.description
