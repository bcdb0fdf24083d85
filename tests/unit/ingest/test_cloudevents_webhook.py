"""The handshake of the CloudEvents webhook specification, and the key in the query."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.entrypoints.cloudevents import Handshake, query_token


async def ask(handshake: Handshake, **headers: str) -> httpx.Response:
    async def options(request: Request) -> Response:
        return await handshake(request)

    app = Starlette(routes=[Route("/v1/events", options, methods=["OPTIONS"])])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
        return await client.options("/v1/events", headers=headers)


async def test_any_origin_may_send() -> None:
    answer = await ask(Handshake(), **{"webhook-request-origin": "eventemitter.example.com"})
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["webhook-allowed-origin"] == "eventemitter.example.com"
    assert answer.headers["webhook-allowed-rate"] == "*"
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("asked", "given"),
    [("120", "120"), ("6000", "600"), ("0", "1"), ("many", "600"), ("9" * 50, "600"), (None, "600")],
)
async def test_the_rate_is_what_is_asked_for_as_far_as_there_is_one(asked: str | None, given: str) -> None:
    headers = {"webhook-request-origin": "eventemitter.example.com"}
    if asked is not None:
        headers["webhook-request-rate"] = asked
    assert (await ask(Handshake(per_minute=600), **headers)).headers["webhook-allowed-rate"] == given


async def test_a_callback_is_not_called_and_changes_nothing() -> None:
    headers = {"webhook-request-origin": "a.example", "webhook-request-callback": "http://127.0.0.1:1/"}
    assert (await ask(Handshake(), **headers)).headers["webhook-allowed-origin"] == "a.example"


async def test_who_asks_for_no_origin_is_given_none() -> None:
    answer = await ask(Handshake())
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("webhook-")]


@pytest.mark.parametrize(
    ("query", "token"),
    [
        (b"", None),
        (b"a=b", None),
        (b"access_token=", None),
        (b"access_token=csm_a.b", "csm_a.b"),
        (b"x=1&access_token=csm%5Fa.b&y", "csm_a.b"),
        (b"access_token=one&access_token=two", "one"),
        (b"my_access_token=no", None),
        (b"access_token=\xff", "ÿ"),
    ],
)
def test_the_key_in_the_query(query: bytes, token: str | None) -> None:
    assert query_token(query) == token
