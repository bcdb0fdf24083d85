"""Calls over real HTTP: signed as Standard Webhooks say, judged by their status, and no secret in what is said of them."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook
from tests.support.ports import free_port
from tests.support.webhook_sink import SECRET, Sink, running_sink

from csm_common.errors import PermanentError, TransientError
from playbooks.adapters.webhooks import HttpEndpoints, open_endpoints
from playbooks.settings import EndpointSettings

BODY = b'{"account_id":"acme","data":{"stage":"risk \xc3\xa9"}}'


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


def settings(url: str, secret: str | None = SECRET) -> EndpointSettings:
    return EndpointSettings.model_validate({"url": url, "secret": secret})


@pytest.fixture
async def endpoints(sink: Sink) -> AsyncIterator[HttpEndpoints]:
    named = {
        "crm": settings(f"{sink.url}/hooks?team=cs"),
        "plain": settings(f"{sink.url}/plain", None),
        "nowhere": settings(f"http://127.0.0.1:{free_port()}/"),
    }
    async with open_endpoints(named) as opened:
        yield opened


async def call(endpoints: HttpEndpoints, endpoint: str = "crm", message_id: str = "msg-1") -> int:
    return await endpoints.call(endpoint, message_id=message_id, at=datetime.now(UTC), body=BODY)


async def test_the_receiver_s_library_reads_what_was_signed(endpoints: HttpEndpoints, sink: Sink) -> None:
    assert await call(endpoints) == 200
    [came] = sink.came
    assert Webhook(SECRET).verify(came.payload.decode(), dict(came.headers)) == came.body
    assert sink.refused == []
    assert (came.path, came.body["data"]) == ("/hooks?team=cs", {"stage": "risk é"})
    assert came.headers["webhook-id"] == came.headers["idempotency-key"] == "msg-1"
    assert came.headers["content-type"] == "application/json"
    assert "webhook-signature" in came.headers


async def test_without_a_secret_nothing_is_signed(endpoints: HttpEndpoints, sink: Sink) -> None:
    await call(endpoints, "plain")
    [came] = sink.came
    assert not {"webhook-signature", "webhook-timestamp"} & set(came.headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_a_good_answer_is_given_back(endpoints: HttpEndpoints, sink: Sink, status: int) -> None:
    sink.answers.put(status)
    assert await call(endpoints) == status


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504])
async def test_what_may_get_better_is_tried_again(endpoints: HttpEndpoints, sink: Sink, status: int) -> None:
    sink.answers.put(status)
    with pytest.raises(TransientError, match=f"crm answered {status}"):
        await call(endpoints)


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 422])
async def test_what_will_not_get_better_is_not_tried_again_and_redirects_are_not_followed(
    endpoints: HttpEndpoints, sink: Sink, status: int
) -> None:
    sink.answers.put(status)
    with pytest.raises(PermanentError, match=f"crm answered {status}"):
        await call(endpoints)
    assert [each.path for each in sink.came] == ["/hooks?team=cs"]


async def test_an_endpoint_that_does_not_answer_is_tried_again(endpoints: HttpEndpoints) -> None:
    with pytest.raises(TransientError, match="nowhere did not answer: ConnectError"):
        await call(endpoints, "nowhere")


async def test_an_endpoint_that_hangs_is_given_up(sink: Sink) -> None:
    sink.hang.clear()
    async with open_endpoints({"crm": settings(sink.url)}, whole_s=0.3) as endpoints:
        with pytest.raises(TransientError, match="crm did not answer: TimeoutError"):
            await call(endpoints)


async def test_an_endpoint_that_nobody_has_named_cannot_be_called(endpoints: HttpEndpoints) -> None:
    assert endpoints.known() == {"crm", "plain", "nowhere"}
    with pytest.raises(
        PermanentError, match="There is no endpoint desk: name its address in CSM_PLAYBOOKS__ENDPOINTS"
    ):
        await call(endpoints, "desk")


async def test_neither_secret_nor_address_is_in_what_is_said(
    endpoints: HttpEndpoints, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    sink.answers.put(500)
    said = [repr(settings("http://crm.example/", SECRET))]
    for endpoint in ("crm", "nowhere", "desk"):
        with pytest.raises((TransientError, PermanentError)) as failed:
            await call(endpoints, endpoint)
        said += [str(failed.value), repr(failed.value), repr(failed.value.__cause__)]
    said += [record.getMessage() for record in caplog.records if record.name.startswith(("playbooks", "csm"))]
    assert not [each for each in said if SECRET in each or "team=cs" in each]


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_*",
        "whsec_c2hvcnQ=",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa*w",
    ],
    ids=["empty", "no prefix", "nothing behind it", "no base64", "short", "a wrong character"],
)
def test_a_secret_that_cannot_sign_is_refused_without_telling_it(secret: str) -> None:
    with pytest.raises(ValueError, match="a secret is whsec_ and the base64 of 24 to 64 bytes") as refused:
        settings("http://crm.example/", secret)
    assert "MfKQ9r8" not in str(refused.value)
