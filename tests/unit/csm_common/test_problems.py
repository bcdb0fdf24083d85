"""Errors over HTTP: every one is a problem document with a status, a code for programs and a sentence for people."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, Query, Request
from starlette.requests import ClientDisconnect
from tests.support.clock import ManualClock
from tests.support.keys import MemoryKeys

from csm_common.errors import (
    ConflictError,
    CsmError,
    FatalError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    TooLargeError,
    TransientError,
    UnauthenticatedError,
)
from csm_common.web.auth import Authenticator, Principal, require
from csm_common.web.body import read_body
from csm_common.web.factory import create_web_app

ERRORS: dict[type[CsmError], tuple[int, str]] = {
    PermanentError: (400, "invalid"),
    InvalidError: (400, "invalid"),
    UnauthenticatedError: (401, "unauthenticated"),
    ForbiddenError: (403, "forbidden"),
    NotFoundError: (404, "not_found"),
    ConflictError: (409, "conflict"),
    TooLargeError: (413, "too_large"),
    TransientError: (503, "unavailable"),
    RateLimitedError: (429, "rate_limited"),
}

routes = APIRouter()


@routes.get("/raise/{name}")
async def raise_by_name(name: str) -> None:
    """Raise the error class of that name."""
    raise next(each for each in ERRORS if each.__name__ == name)("What is wrong, and what to do.")


@routes.get("/detailed")
async def detailed() -> None:
    """An error with a code and members of its own."""
    raise InvalidError("Line 3 is wrong.", code="bad_line", errors=[{"line": 3}])


@routes.get("/later")
async def later() -> None:
    """An error that says when to try again."""
    raise TransientError("Busy.", code="overloaded", retry_after=7.4)


@routes.get("/bug")
async def bug() -> None:
    """Something nobody expected."""
    raise ZeroDivisionError("secret detail")


@routes.get("/gone")
async def gone() -> None:
    """The client went away in the middle of its request."""
    raise ClientDisconnect


@routes.get("/typed")
async def typed(count: Annotated[int, Query(ge=1)]) -> int:
    """Takes a number."""
    return count


@routes.post("/bytes")
async def take(request: Request) -> int:
    """Takes ten bytes."""
    return len(await read_body(request, 10))


@routes.get("/mine")
async def mine(principal: Annotated[Principal, Depends(require("health:read"))]) -> str:
    """Needs a scope."""
    return principal.key_id


@pytest.fixture
def keys() -> MemoryKeys:
    """The keys that exist."""
    return MemoryKeys()


@pytest.fixture
async def client(keys: MemoryKeys) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app with the routes above."""

    async def sick() -> str | None:
        return "The consumer has no partitions."

    async def well() -> str | None:
        return None

    app = create_web_app(
        title="Test",
        description="",
        authenticator=Authenticator(keys, ManualClock()),
        routers=[routes],
        ready={"consumer": sick, "database": well},
        alive={"consumer": well},
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of an answer, after a look at what all of them have."""
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == answer.status_code
    assert document["type"] == f"urn:csm:problem:{document['code']}"
    assert document["title"]
    assert document["detail"] == document["message"]
    return document


@pytest.mark.parametrize(
    ("error", "expected"), ERRORS.items(), ids=lambda each: getattr(each, "__name__", "")
)
async def test_each_error_has_its_status_and_code(
    client: httpx.AsyncClient, error: type[CsmError], expected: tuple[int, str]
) -> None:
    answer = await client.get(f"/raise/{error.__name__}")
    document = problem_of(answer)
    assert (answer.status_code, document["code"]) == expected
    assert document["message"] == "What is wrong, and what to do."


def test_no_error_class_is_forgotten_here() -> None:
    def tree(root: type[CsmError]) -> set[type[CsmError]]:
        return {root}.union(*map(tree, root.__subclasses__()))

    ours = {each for each in tree(CsmError) if each.__module__ == "csm_common.errors"}
    assert ours - set(ERRORS) == {CsmError, FatalError}


async def test_an_error_may_name_its_own_code_and_tell_more(client: httpx.AsyncClient) -> None:
    document = problem_of(await client.get("/detailed"))
    assert (document["status"], document["code"], document["errors"]) == (400, "bad_line", [{"line": 3}])


async def test_a_transient_error_says_when_to_try_again(client: httpx.AsyncClient) -> None:
    answer = await client.get("/later")
    assert problem_of(answer)["code"] == "overloaded"
    assert answer.headers["retry-after"] == "7"


async def test_an_unauthenticated_caller_is_told_how_to_authenticate(client: httpx.AsyncClient) -> None:
    answer = await client.get("/raise/UnauthenticatedError")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_bug_is_a_500_that_gives_nothing_away(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get("/bug")
    assert problem_of(answer)["code"] == "internal_error"
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


async def test_a_client_that_went_away_is_not_our_bug(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert problem_of(await client.get("/gone"))["code"] == "disconnected"
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/typed", 405, "method_not_allowed"),
        ("GET", "/typed?count=0", 422, "invalid"),
        ("GET", "/typed?count=many", 422, "invalid"),
        ("GET", "/typed", 422, "invalid"),
    ],
)
async def test_what_the_framework_refuses_is_a_problem_document_too(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, problem_of(answer)["code"]) == (status, code)


async def test_an_invalid_field_is_named(client: httpx.AsyncClient) -> None:
    document = problem_of(await client.get("/typed?count=0"))
    assert document["message"].startswith("query.count: ")
    assert [each["at"] for each in document["errors"]] == ["query.count"]


async def test_a_body_up_to_the_limit_is_read(client: httpx.AsyncClient) -> None:
    assert (await client.post("/bytes", content=b"0123456789")).json() == 10


async def test_a_longer_body_is_refused_whether_or_not_its_length_is_told(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"01234"
            await asyncio.sleep(0)

    for content in (b"0123456789+", chunks()):
        answer = await client.post("/bytes", content=content)
        assert (answer.status_code, problem_of(answer)["code"]) == (413, "too_large")


async def test_readiness_and_liveness_tell_what_is_wrong(client: httpx.AsyncClient) -> None:
    ready, alive = await client.get("/readyz"), await client.get("/livez")
    assert ready.status_code == 503
    assert ready.json() == {
        "status": "unavailable",
        "problems": {"consumer": "The consumer has no partitions."},
    }
    assert (alive.status_code, alive.json()) == (200, {"status": "ok", "problems": {}})


async def test_metrics_are_there_without_a_key(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")


async def test_a_route_that_needs_a_scope(client: httpx.AsyncClient, keys: MemoryKeys) -> None:
    reader, writer = keys.add("reader", scopes=["health:read"]), keys.add("writer", scopes=["events:write"])
    basic = base64.b64encode(f"{reader}:".encode()).decode()
    cases = [
        (None, 401),
        ("Bearer nonsense", 401),
        (f"Bearer {writer}", 403),
        (f"Bearer {reader}", 200),
        (f"Basic {basic}", 200),
        ("Basic caf\xe9", 401),
    ]
    for header, status in cases:
        headers = {} if header is None else {b"authorization": header.encode("latin-1")}
        answer = await client.get("/mine", headers=headers)
        assert answer.status_code == status, header
