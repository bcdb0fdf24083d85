"""HTTP out against receivers of every kind: kind ones, slow ones, and those who want to turn us inwards."""

import asyncio
import gzip
import logging
import ssl
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import httpcore
import pytest
from tests.integration.notifier.channels.conftest import LOOPBACK
from tests.integration.notifier.channels.receiver import (
    Answering,
    Receiver,
    begun,
    dribbled,
    flooded,
    hung,
    said,
)
from tests.support.ports import free_port
from tests.support.waiting import eventually

from notifier.adapters.outbound import Outbound
from notifier.domain.delivery import Answer
from notifier.domain.public_addresses import AddressRules

SOON = 0.3
"""Seconds after which a test of patience ends; nothing is asserted about the clock."""


def leads_to(*addresses: str, asked: list[str] | None = None) -> "FakeResolver":
    """A name server that knows one answer; it can change its mind."""
    return FakeResolver(addresses, asked if asked is not None else [])


class FakeResolver:
    """Implements Resolve."""

    def __init__(self, addresses: Sequence[str], asked: list[str]) -> None:
        self.addresses = list(addresses)
        self.asked = asked

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of this moment."""
        self.asked.append(host)
        if not self.addresses:
            raise OSError("no such name")
        return self.addresses


async def post(outbound: Outbound, url: str, timeout_s: float | None = None) -> Answer:
    """One small message; the answer never tells the rest of the URL."""
    answer = await outbound.post(url, content=b"{}", headers={"x-mine": "1"}, timeout_s=timeout_s)
    assert "SECRET" not in repr(answer)
    return answer


async def test_a_message_arrives_whole(receiver: Receiver, outbound: Outbound) -> None:
    answer = await post(outbound, receiver.url)
    assert (answer.outcome, answer.code, answer.fault) == ("accepted", 200, False)
    (came,) = receiver.came
    assert (came.target, came.body) == ("/SECRET-PATH?token=SECRET-QUERY", b"{}")
    assert came.headers == {"host": f"127.0.0.1:{receiver.port}", "content-length": "2", "x-mine": "1"}


async def test_connections_are_kept_for_the_next_message(receiver: Receiver, outbound: Outbound) -> None:
    for _ in range(3):
        await post(outbound, receiver.url)
    assert (len(receiver.came), receiver.connections) == (3, 1)


async def test_a_kept_connection_that_was_closed_is_replaced(receiver: Receiver, outbound: Outbound) -> None:
    receiver.answers = [begun(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", closes=True)]
    assert [(await post(outbound, receiver.url)).outcome for _ in range(2)] == ["accepted", "accepted"]
    assert receiver.connections == 2


async def test_a_redirect_is_not_followed(receiver: Receiver, outbound: Outbound) -> None:
    receiver.answers = [said(307, location=receiver.url), said(302, location="http://169.254.169.254/")]
    for _ in range(2):
        answer = await post(outbound, receiver.url)
        assert answer.outcome == "refused"
        assert "redirects are not followed" in answer.detail
    assert len(receiver.came) == 2


async def test_a_receiver_that_throttles_is_left_alone_as_long_as_it_asks(
    receiver: Receiver, outbound: Outbound
) -> None:
    receiver.answers = [said(429, retry_after="30"), said(503, retry_after="60"), said(500)]
    answers = [await post(outbound, receiver.url) for _ in range(3)]
    assert [each.outcome for each in answers] == ["deferred"] * 3
    assert [each.fault for each in answers] == [False, True, True]
    assert [each.retry_after for each in answers] == [timedelta(seconds=30), timedelta(minutes=1), None]


async def test_a_receiver_that_wants_no_more_is_gone(receiver: Receiver, outbound: Outbound) -> None:
    receiver.answers = [said(410)]
    answer = await post(outbound, receiver.url)
    assert (answer.outcome, answer.gone) == ("refused", True)


@pytest.mark.parametrize("slow", [hung, dribbled], ids=["silent", "dribbling"])
async def test_without_an_answer_in_time_nobody_knows(
    receiver: Receiver, outbound: Outbound, slow: Answering
) -> None:
    receiver.answers = [slow]
    answer = await post(outbound, receiver.url, SOON)
    assert (answer.outcome, answer.fault, answer.code) == ("unknown", True, None)
    assert answer.detail == f"127.0.0.1 took longer than {SOON} s"


@pytest.mark.parametrize(
    "broken",
    [
        begun(closes=True),
        begun(b"HTTP/1.1 200", closes=True),
        begun(b"SSH-2.0-OpenSSH\r\n", closes=True),
        begun(b"HTTP/1.1 200 OK\r\nx: " + b"z" * 300_000, closes=True),
    ],
    ids=["nothing", "half a line", "no HTTP", "a huge header"],
)
async def test_without_an_answer_in_http_nobody_knows(
    receiver: Receiver, outbound: Outbound, broken: Answering
) -> None:
    receiver.answers = [broken]
    answer = await post(outbound, receiver.url)
    assert (answer.outcome, answer.fault, answer.code) == ("unknown", True, None)
    assert (await post(outbound, receiver.url)).outcome == "accepted"


@pytest.mark.parametrize(
    "body",
    [
        begun(b"HTTP/1.1 202 OK\r\ncontent-length: 9\r\n\r\n123", closes=True),
        begun(b"HTTP/1.1 202 OK\r\ncontent-length: 9\r\n\r\n123"),
        begun(b"HTTP/1.1 202 OK\r\ntransfer-encoding: chunked\r\n\r\nzz", closes=True),
    ],
    ids=["broken off", "never ending", "garbled"],
)
async def test_a_status_counts_whatever_becomes_of_the_body(
    receiver: Receiver, outbound: Outbound, body: Answering
) -> None:
    receiver.answers = [body]
    reply = await outbound.exchange(receiver.url, content=b"{}", headers={}, timeout_s=SOON)
    assert (reply.answer.outcome, reply.answer.code, reply.body) == ("accepted", 202, None)


async def test_no_more_of_a_body_is_read_than_anybody_needs(receiver: Receiver, outbound: Outbound) -> None:
    receiver.answers = [flooded]
    reply = await outbound.exchange(receiver.url, content=b"{}", headers={})
    assert (reply.answer.outcome, reply.body) == ("accepted", None)
    assert receiver.flooded < 20_000_000  # what lies in the sockets' buffers


async def test_a_bomb_is_not_unpacked(receiver: Receiver, outbound: Outbound) -> None:
    bomb = gzip.compress(bytes(30_000_000))
    receiver.answers = [said(200, bomb, content_encoding="gzip")]
    reply = await outbound.exchange(receiver.url, content=b"{}", headers={})
    assert reply.body == bomb
    assert "accept-encoding" not in receiver.came[0].headers


async def test_nobody_listening_is_a_fault_and_nothing_went_out(outbound: Outbound) -> None:
    answer = await post(outbound, f"http://127.0.0.1:{free_port()}/SECRET")
    assert (answer.outcome, answer.fault) == ("deferred", True)
    assert answer.detail == "127.0.0.1 could not be reached: no connection"


async def test_what_is_abandoned_answers_at_once_and_blames_nobody(
    receiver: Receiver, outbound: Outbound
) -> None:
    receiver.answers = [hung]
    sending = asyncio.create_task(post(outbound, receiver.url, 60))
    await eventually(lambda: len(receiver.came) == 1)
    outbound.abandon()
    answer = await sending
    assert (answer.outcome, answer.fault) == ("unknown", False)
    assert (await post(outbound, receiver.url)).outcome == "accepted"


async def test_what_is_abandoned_before_anything_was_written_did_not_go_out() -> None:
    asked = asyncio.Event()

    async def never(host: str, port: int) -> Sequence[str]:
        asked.set()
        await asyncio.Event().wait()
        return []

    async with Outbound(LOOPBACK, resolve=never) as outbound:
        sending = asyncio.create_task(post(outbound, "https://a.example/SECRET", 60))
        await asked.wait()
        outbound.abandon()
        answer = await sending
        assert (answer.outcome, answer.fault) == ("deferred", False)
        late = await post(outbound, "https://a.example/SECRET", SOON)
        assert (late.outcome, late.fault) == ("deferred", True)


async def test_nothing_of_a_url_is_logged(
    receiver: Receiver, outbound: Outbound, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await post(outbound, receiver.url)
        receiver.answers = [begun(closes=True)]
        await post(outbound, receiver.url)
    assert "SECRET" not in caplog.text


async def test_the_environment_names_no_proxy(
    receiver: Receiver, outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert (await post(outbound, receiver.url)).outcome == "accepted"


INWARD = [
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "fe80::1%1",
]


@pytest.mark.parametrize("address", INWARD)
async def test_a_name_that_leads_inwards_is_refused(receiver: Receiver, address: str) -> None:
    async with Outbound(AddressRules(), resolve=leads_to(address)) as outbound:
        answer = await post(outbound, f"https://hooks.example:{receiver.port}/SECRET")
    assert (answer.outcome, answer.fault) == ("refused", False)
    assert answer.detail.startswith(
        "hooks.example: the address is not public; add it to CSM_NOTIFIER__ALLOWED_NETWORKS"
    )
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/"]
)
async def test_an_address_that_leads_inwards_is_refused_without_a_look(url: str) -> None:
    asked: list[str] = []
    async with Outbound(AddressRules(), resolve=leads_to("1.1.1.1", asked=asked)) as outbound:
        assert (await post(outbound, url)).outcome == "refused"
    assert asked == []


async def test_localhost_is_refused_by_the_systems_own_resolver(receiver: Receiver) -> None:
    async with Outbound(AddressRules()) as outbound:
        answer = await post(outbound, f"https://localhost:{receiver.port}/SECRET")
    assert answer.outcome == "refused"
    assert "not public" in answer.detail
    assert receiver.connections == 0


async def test_of_several_addresses_only_allowed_ones_are_connected_to(receiver: Receiver) -> None:
    rules = AddressRules.parse(["127.0.0.1/32"], [])
    names = leads_to("127.0.0.2", "10.0.0.1", "127.0.0.1")
    async with Outbound(rules, resolve=names) as outbound:
        answer = await post(outbound, f"https://hooks.example:{receiver.port}/", SOON)
    assert answer.outcome == "deferred"  # it speaks no TLS, but it was the one that was called
    assert receiver.connections == 1


async def test_where_the_first_address_is_dead_the_next_is_tried(receiver: Receiver) -> None:
    rules = AddressRules.parse(["127.0.0.0/8"], ["hooks.example"])
    async with Outbound(rules, resolve=leads_to("127.0.0.9", "127.0.0.1")) as outbound:
        assert (await post(outbound, f"http://hooks.example:{receiver.port}/")).outcome == "accepted"


async def test_a_name_that_changes_its_address_is_checked_at_every_connection(receiver: Receiver) -> None:
    names = leads_to("127.0.0.1")
    rules = AddressRules.parse(["127.0.0.1/32"])
    async with Outbound(rules, resolve=names) as outbound:
        url = f"https://hooks.example:{receiver.port}/"
        assert (await post(outbound, url, SOON)).outcome == "deferred"
        names.addresses = ["127.0.0.2"]
        assert (await post(outbound, url)).outcome == "refused"
    assert names.asked == ["hooks.example", "hooks.example"]
    assert receiver.connections == 1


async def test_a_name_is_looked_up_once_a_connection_and_what_was_checked_is_what_is_called(
    receiver: Receiver,
) -> None:
    """Whoever answers the first question well and the second one badly gets no second question."""
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    rules = AddressRules.parse(["127.0.0.1/32"], [])
    async with Outbound(rules, resolve=rebinding) as outbound:
        await post(outbound, f"https://hooks.example:{receiver.port}/", SOON)
    assert (asked, receiver.connections) == (["hooks.example"], 1)


async def test_a_name_nobody_knows_is_a_reason_to_try_again() -> None:
    async with Outbound(AddressRules(), resolve=leads_to()) as outbound:
        answer = await post(outbound, "https://hooks.example/SECRET")
    assert (answer.outcome, answer.fault) == ("deferred", True)
    assert answer.detail == "hooks.example could not be reached: its name could not be resolved"


async def test_an_allowed_host_may_lead_anywhere_and_do_without_tls(receiver: Receiver) -> None:
    async with Outbound(AddressRules.parse([], ["sink.internal"]), resolve=leads_to("127.0.0.1")) as outbound:
        assert (await post(outbound, f"http://sink.internal:{receiver.port}/")).outcome == "accepted"
    assert receiver.came[0].headers["host"] == f"sink.internal:{receiver.port}"


async def test_the_certificate_must_be_of_the_name_and_trusted(certificate: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    trusting = httpcore.default_ssl_context()
    trusting.load_verify_locations(certificate)
    names = leads_to("127.0.0.1")
    async with Receiver().listening(server) as receiver:
        async with Outbound(LOOPBACK, resolve=names, tls=trusting) as outbound:
            good = await post(outbound, f"https://hooks.example:{receiver.port}/")
            other = await post(outbound, f"https://other.example:{receiver.port}/SECRET")
        async with Outbound(LOOPBACK, resolve=names) as outbound:
            unknown = await post(outbound, f"https://hooks.example:{receiver.port}/SECRET")
    assert good.outcome == "accepted"
    for each in (other, unknown):
        assert (each.outcome, each.fault) == ("deferred", True)
        assert "CERTIFICATE_VERIFY_FAILED" in each.detail
    assert len(receiver.came) == 1
