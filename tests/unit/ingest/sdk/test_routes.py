"""The SDK routes: what is read of a body, who may send it, and answers that SDKs understand."""

import gzip
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from tests.support.clock import START, ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.ingest.door import refusal
from tests.unit.ingest.sdk.samples import SEGMENT, call, capture

from csm_common.errors import TransientError
from csm_common.web.auth import Authenticator
from ingest.application.budget import Budget
from ingest.application.incoming import Incoming, Received
from ingest.application.limiter import Limiter
from ingest.application.outcome import Outcome
from ingest.domain.decision import Rejected
from ingest.entrypoints.bodies import Bodies
from ingest.entrypoints.sdk import BATCHES, CALLS, POSTHOG, SdkDoor, sdk_routes

LIMIT = 500_000


@dataclass
class FakeIntake:
    """Keeps what it is given; the outcome of a message is the status that its body names, accepted otherwise."""

    taken: list[Received] = field(default_factory=list)
    away: Exception | None = None

    async def take(self, received: Sequence[Received]) -> list[Outcome]:
        """One outcome a message."""
        if self.away:
            raise self.away
        self.taken += received
        return [Outcome(id=None, status=_status(each.body)) for each in received]


def _status(body: bytes) -> Any:
    named = [each for each in ("duplicate", "held", "rejected") if each.encode() in body]
    return named[0] if named else "accepted"


@dataclass
class Sdk:
    """The routes over a fake intake, and keys to use them."""

    intake: FakeIntake = field(default_factory=FakeIntake)
    keys: MemoryKeys = field(default_factory=MemoryKeys)

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.token = self.keys.add("writer", scopes=["track:write"], source="shop")
        door = SdkDoor(
            intake=self.intake,
            bodies=Bodies(limit=LIMIT, deadline_s=5.0),
            budget=Budget(10 * LIMIT),
            authenticator=Authenticator(self.keys, self.clock),
            limiter=Limiter(100_000),
            clock=self.clock,
        )
        app = Starlette(routes=sdk_routes(door))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingest")

    async def post(
        self, path: str, body: object, headers: Mapping[str, str] | None = None, *, key: bool = True
    ) -> httpx.Response:
        """The answer to a body: bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        known = {"authorization": f"Bearer {self.token}"} if key else {}
        return await self.http.post(path, content=content, headers={**known, **(headers or {})})

    @property
    def messages(self) -> list[Any]:
        """What the intake was given."""
        return [json.loads(each.body) for each in self.intake.taken]


@pytest.fixture
async def sdk() -> AsyncIterator[Sdk]:
    sdk = Sdk()
    async with sdk.http:
        yield sdk


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", BATCHES)
async def test_a_batch_is_taken_message_by_message(sdk: Sdk, path: str, slash: str) -> None:
    batch = [call(messageId="a"), call(messageId="b")]
    answer = await sdk.post(path + slash, {"batch": batch, "sentAt": "2026-03-02T09:00:00Z"})
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "status": 1,
        "accepted": 2,
        "duplicates": 0,
        "held": 0,
        "rejected": 0,
    }
    assert sdk.messages == batch
    first = sdk.intake.taken[0]
    assert (first.format, first.source, first.at) == ("segment", "sdk/shop", START)
    assert first.context == {"sent_at": "2026-03-02T09:00:00Z"}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("path", "kind"), CALLS.items())
async def test_a_single_call_is_of_its_routes_kind(sdk: Sdk, path: str, kind: str, slash: str) -> None:
    answer = await sdk.post(path + slash, call(None))
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert [each.context for each in sdk.intake.taken] == [{"type": kind}]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", POSTHOG)
@pytest.mark.parametrize("form", ["batch", "list", "single"])
async def test_posthogs_bodies_have_three_forms(sdk: Sdk, path: str, form: str, slash: str) -> None:
    event = capture("x")
    bodies: dict[str, Any] = {"batch": {"batch": [event]}, "list": [event], "single": event}
    answer = await sdk.post(path + slash, bodies[form])
    assert (answer.status_code, answer.json()["status"]) == (200, 1)
    assert sdk.messages == [event]
    assert sdk.intake.taken[0].format == "posthog"


async def test_every_outcome_is_counted(sdk: Sdk) -> None:
    events = [call(event=each) for each in ("ok", "duplicate", "held", "held", "rejected", "ok")]
    answer = (await sdk.post("/v1/batch", {"batch": events})).json()
    assert [answer[each] for each in ("accepted", "duplicates", "held", "rejected")] == [2, 1, 2, 1]


async def test_bytes_go_on_as_they_came_whatever_is_in_them(sdk: Sdk) -> None:
    entries = [b'{"a" : 1.0, "a": 2}', b"5", b"null", b"[" * 100 + b"]" * 100, b'"' + b"x" * 40_000 + b'"']
    answer = await sdk.post("/v1/batch", b'{"batch": [' + b", ".join(entries) + b"]}")
    assert answer.status_code == 200
    assert [each.body for each in sdk.intake.taken] == entries


@pytest.mark.parametrize("path", ["/v1/batch", "/batch/"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), "half of \ud83d"])
async def test_what_json_cannot_say_spoils_its_own_message_only(sdk: Sdk, path: str, value: object) -> None:
    bad = call(properties={"value": value})
    answer = await sdk.post(path, {"batch": [call(), bad], "writeKey": sdk.token, "sentAt": "x"}, key=False)
    assert answer.status_code == 200
    first, second = sdk.intake.taken
    assert isinstance(SEGMENT(first), Incoming)
    assert isinstance(SEGMENT(second), Rejected)
    assert first.context == {"sent_at": "x"}


async def test_so_do_bytes_that_are_no_utf_8_and_nothing_gets_longer_by_it(sdk: Sdk) -> None:
    long = call(properties={"text": "💥" * 7_500})
    entries = [json.dumps(long, ensure_ascii=False).encode(), b'{"event": "caf\xe9"}']
    answer = await sdk.post("/v1/batch", b'{"batch": [' + b",".join(entries) + b"]}")
    assert answer.status_code == 200
    first, second = sdk.intake.taken
    assert isinstance(SEGMENT(first), Incoming)
    assert second.body == b'{"event":"caf\xe9"}'


async def test_what_a_batch_says_of_all_goes_with_each(sdk: Sdk) -> None:
    await sdk.post("/v1/batch", {"batch": [call()], "context": {"groupId": "acme"}, "sentAt": None})
    assert json.loads(sdk.intake.taken[0].context["context"]) == {"groupId": "acme"}
    assert "sent_at" not in sdk.intake.taken[0].context


class TestBytesNotLabels:
    """The content type says nothing."""

    @pytest.mark.parametrize("label", ["text/plain", "application/x-www-form-urlencoded", "", "nonsense"])
    async def test_json_is_json(self, sdk: Sdk, label: str) -> None:
        answer = await sdk.post("/v1/batch", {"batch": [call()]}, {"content-type": label})
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)

    @pytest.mark.parametrize("label", ["gzip", "identity", ""])
    async def test_gzip_is_gzip(self, sdk: Sdk, label: str) -> None:
        body = gzip.compress(json.dumps({"batch": [call()]}).encode())
        answer = await sdk.post("/v1/batch", body, {"content-encoding": label})
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


class TestKeys:
    """The key may come in several places; the header counts first."""

    async def test_basic_with_the_key_as_user_name(self, sdk: Sdk) -> None:
        answer = await sdk.http.post("/v1/batch", json={"batch": [call()]}, auth=(sdk.token, ""))
        assert answer.status_code == 200

    @pytest.mark.parametrize("member", ["writeKey", "api_key", "token"])
    async def test_in_the_body(self, sdk: Sdk, member: str) -> None:
        for path, body in (
            ("/v1/batch", {"batch": [call()], member: sdk.token}),
            ("/v1/t", call() | {member: sdk.token}),
            ("/batch/", {"batch": [capture("x")], member: sdk.token}),
            ("/e/", capture("x") | {member: sdk.token}),
            ("/e/", [capture("x") | {member: sdk.token}]),
        ):
            assert (await sdk.post(path, body, key=False)).status_code == 200

    async def test_in_the_properties_as_browsers_send_it(self, sdk: Sdk) -> None:
        assert (await sdk.post("/e/", capture("x", {"token": sdk.token}), key=False)).status_code == 200

    async def test_a_list_whose_first_is_no_event_holds_none(self, sdk: Sdk) -> None:
        answer = await sdk.post("/e/", [5, capture("x") | {"api_key": sdk.token}], key=False)
        assert refusal(answer) == (401, "unauthenticated")

    async def test_a_wrong_one_in_the_header_is_not_helped_by_the_body(self, sdk: Sdk) -> None:
        body = {"batch": [call()], "writeKey": sdk.token}
        answer = await sdk.post("/v1/batch", body, {"authorization": "Bearer csm_nobody_knows"})
        assert refusal(answer) == (401, "unauthenticated")

    @pytest.mark.parametrize("key", [None, 5, "", "nonsense"])
    async def test_none(self, sdk: Sdk, key: object) -> None:
        answer = await sdk.post("/v1/batch", {"batch": [call()], "writeKey": key}, key=False)
        assert refusal(answer) == (401, "unauthenticated")

    async def test_one_for_something_else(self, sdk: Sdk) -> None:
        other = sdk.keys.add("reader", scopes=["health:read"])
        answer = await sdk.post("/v1/batch", {"batch": [call()]}, {"authorization": f"Bearer {other}"})
        assert refusal(answer) == (403, "forbidden")


@pytest.mark.parametrize(
    ("path", "body", "refused"),
    [
        ("/v1/batch", {"batch": float("nan")}, (400, "invalid_json")),
        ("/v1/batch", b'{"batch": [NaN', (400, "invalid_json")),
        ("/v1/batch", b"", (400, "invalid_json")),
        ("/v1/batch", b"{", (400, "invalid_json")),
        ("/v1/batch", b"\xff", (400, "invalid_json")),
        ("/v1/batch", b'{"batch": [}, "\xff"]}', (400, "invalid_json")),
        ("/v1/batch", {}, (400, "missing_batch")),
        ("/v1/batch", {"batch": None}, (400, "missing_batch")),
        ("/v1/batch", {"batch": {}}, (400, "invalid_json")),
        ("/v1/batch", {"batch": []}, (400, "empty_batch")),
        ("/v1/batch", [call()], (400, "invalid_json")),
        ("/v1/batch", b'{"batch": ' + b"[" * 100_000, (400, "too_deep")),
        ("/v1/batch", b"\x1f\x8bnonsense", (400, "invalid_gzip")),
        ("/v1/batch", {"batch": [1] * 2_501}, (413, "batch_too_large")),
        ("/v1/batch", b" " * (LIMIT + 1), (413, "too_large")),
        ("/v1/batch", gzip.compress(b" " * (LIMIT + 1)), (413, "too_large")),
        ("/v1/track", b"[]", (400, "invalid_json")),
        ("/v1/track", b"5", (400, "invalid_json")),
        ("/batch/", b"5", (400, "invalid_json")),
        ("/batch/", [], (400, "empty_batch")),
        ("/e/", {"batch": []}, (400, "empty_batch")),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_with_a_sentence(
    sdk: Sdk, path: str, body: object, refused: tuple[int, str]
) -> None:
    assert refusal(await sdk.post(path, body)) == refused
    assert sdk.intake.taken == []


async def test_nothing_is_promised_when_the_world_is_at_fault(sdk: Sdk) -> None:
    sdk.intake.away = TransientError("The brokers are away.", retry_after=2.0)
    answer = await sdk.post("/v1/batch", {"batch": [call()]})
    assert (refusal(answer), answer.headers["retry-after"]) == ((503, "unavailable"), "2")


async def test_a_fault_of_ours_is_told_as_one(sdk: Sdk) -> None:
    sdk.intake.away = RuntimeError("nobody thought of this")
    assert refusal(await sdk.post("/v1/t", call())) == (500, "internal_error")


async def test_too_many_are_told_when_to_come_again(sdk: Sdk) -> None:
    slow = sdk.keys.add("slow", scopes=["track:write"], events_per_s=1)
    statuses = [
        (await sdk.post("/v1/t", call(), {"authorization": f"Bearer {slow}"})).status_code for _ in range(4)
    ]
    assert statuses.count(429) >= 1


class TestBrowsers:
    """Pages of any origin may send, and read why something was refused."""

    async def test_they_ask_first(self, sdk: Sdk) -> None:
        answer = await sdk.http.options("/v1/t", headers={"origin": "https://shop.example"})
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "authorization" in answer.headers["access-control-allow-headers"]

    @pytest.mark.parametrize("body", [{"event": "x"}, b"{"])
    async def test_they_may_read_every_answer(self, sdk: Sdk, body: object) -> None:
        assert (await sdk.post("/v1/t", body)).headers["access-control-allow-origin"] == "*"


async def test_other_methods_are_not_taken(sdk: Sdk) -> None:
    assert (await sdk.http.get("/v1/batch")).status_code == 405
