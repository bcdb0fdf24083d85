"""The email channel against a real SMTP server: every kind of answer, and none."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from notifier.adapters.email import EmailChannel
from tests.integration.notifier.smtp import MailServer
from tests.support.clock import START
from tests.support.waiting import eventually
from tests.unit.notifier.builders import RECIPIENT, WORDS, a_notification

from notifier.adapters.smtp_connections import SmtpConnections
from notifier.domain.addresses import Mailbox
from notifier.domain.delivery import Answer
from notifier.domain.recipients import Recipient
from notifier.settings import SmtpSettings

OPENLY = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


class Door:
    """A channel to a mail server."""

    def __init__(self, server: MailServer, timeout_s: float = 20.0, **settings: Any) -> None:
        self.connections = SmtpConnections(
            SmtpSettings(host="127.0.0.1", port=server.port, sender="cs@vendor.example", **settings)
        )
        self.channel = EmailChannel(
            self.connections, Mailbox("cs@vendor.example", "Customer Success"), timeout_s=timeout_s
        )

    async def send(self, id_: str = "n-1", to: str = RECIPIENT.address) -> Answer:
        """One mail."""
        recipient = Recipient("contact", to, "kim", "Kim")
        return await self.channel.send(a_notification(id_), recipient, WORDS, START)


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer().listening() as server:
        yield server


async def test_a_mail_arrives_whole(server: MailServer) -> None:
    answer = await Door(server).send()
    assert (answer.outcome, answer.code) == ("accepted", 250)
    (mail,) = server.mails
    assert server.recipients == [RECIPIENT.address]
    assert mail["Message-ID"] == "<n-1@vendor.example>"
    assert mail["From"] == "Customer Success <cs@vendor.example>"
    assert mail["X-CSM-Notification"] == "n-1"
    assert [part.get_content().strip() for part in mail.iter_parts()] == [WORDS.text, WORDS.html]


async def test_mails_one_after_another_share_a_connection(server: MailServer) -> None:
    door = Door(server)
    for number in range(3):
        assert (await door.send(f"n-{number}")).outcome == "accepted"
    assert server.connections == 1
    door.connections.close()


async def test_mails_at_once_have_a_connection_each(server: MailServer) -> None:
    door = Door(server)
    server.released.clear()
    sends = [asyncio.create_task(door.send(f"n-{number}")) for number in range(3)]
    await eventually(lambda: server.waiting == 3)
    server.released.set()
    assert {(await each).outcome for each in sends} == {"accepted"}
    assert server.connections == 3


async def test_a_connection_the_server_has_cut_is_replaced(server: MailServer) -> None:
    door = Door(server)
    await door.send("n-1")
    server.hang_up()
    assert (await door.send("n-2")).outcome == "accepted"
    assert (len(server.mails), server.connections) == (2, 2)


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        ("550 5.1.1 no such user", "refused", 550),
        ("554 no", "refused", 554),
        ("451 4.7.1 greylisted", "deferred", 451),
        ("421 closing down", "deferred", 421),
        ("530 5.7.0 log in first", "deferred", 530),
    ],
)
@pytest.mark.parametrize("stage", ["recipient", "mail"])
async def test_only_the_code_tells(
    server: MailServer, stage: str, answer: str, outcome: str, code: int
) -> None:
    if stage == "recipient":
        server.to_recipients[RECIPIENT.address] = answer
    else:
        server.answers = [answer]
    door = Door(server)
    got = await door.send()
    assert (got.outcome, got.code) == (outcome, code)
    assert got.detail.startswith(answer)
    assert server.mails == []
    server.to_recipients.clear()
    assert (await door.send("n-2")).outcome == "accepted"


async def test_what_is_kept_of_an_answer_has_no_address_and_can_be_stored(server: MailServer) -> None:
    server.to_recipients[RECIPIENT.address] = f"550 <{RECIPIENT.address.upper()}> is\x00{'not known ' * 100}"
    detail = (await Door(server).send()).detail
    assert detail.startswith("550 <(recipient)> is not known")
    assert "\x00" not in detail
    assert len(detail) < 520


async def test_nobody_listening_is_a_reason_to_try_again() -> None:
    answer = await Door(MailServer()).send()
    assert (answer.outcome, answer.code) == ("deferred", None)
    assert answer.detail.startswith("the mail server is not available")


async def test_a_server_that_never_answers_is_given_up(server: MailServer) -> None:
    server.released.clear()
    answer = await Door(server, timeout_s=0.3).send()
    assert (answer.outcome, answer.code) == ("deferred", None)
    assert "took too long" in answer.detail


async def test_a_server_that_does_not_even_greet_is_given_up() -> None:
    server = MailServer()
    over = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", server.port):
        answer = await Door(server, timeout_s=0.3).send()
        over.set()
    assert answer.outcome == "deferred"


async def test_a_connection_lost_in_the_middle_of_a_mail_is_a_reason_to_try_again(server: MailServer) -> None:
    server.released.clear()
    door = Door(server)
    sending = asyncio.create_task(door.send())
    await eventually(lambda: server.waiting == 1)
    server.hang_up()
    answer = await sending
    assert (answer.outcome, answer.code) == ("deferred", None)
    assert "connection was lost" in answer.detail
    server.released.set()
    assert (await door.send("n-2")).outcome == "accepted"


async def test_what_is_abandoned_answers_at_once(server: MailServer) -> None:
    server.released.clear()
    door = Door(server)
    sends = [asyncio.create_task(door.send(f"n-{number}")) for number in range(2)]
    await eventually(lambda: server.waiting == 2)
    door.channel.abandon()
    assert {(await each).outcome for each in sends} == {"deferred"}


@OPENLY
async def test_a_login_is_made_once_a_connection() -> None:
    async with MailServer().listening(password="right") as server:
        door = Door(server, username="cs", password="right")
        assert [(await door.send(name)).outcome for name in ("n-1", "n-2")] == ["accepted", "accepted"]
        assert server.connections == 1


@OPENLY
async def test_a_wrong_password_fails_no_mail_for_good() -> None:
    async with MailServer().listening(password="right") as server:
        answer = await Door(server, username="cs", password="wrong").send()
        assert (answer.outcome, answer.code) == ("deferred", 535)
        nobody = await Door(server).send()
        assert (nobody.outcome, nobody.code) == ("deferred", 530)


async def test_without_starttls_nothing_is_sent_where_it_is_asked_for(server: MailServer) -> None:
    answer = await Door(server, starttls=True).send()
    assert answer.outcome == "deferred"
    assert server.mails == []


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 that vouches for itself, and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is needed to make a certificate")
    file = tmp_path / "certificate.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=mail.test -addext subjectAltName=IP:127.0.0.1"
    public = tmp_path / "public.pem"
    subprocess.run([*make.split(), "-keyout", file, "-out", public], check=True, capture_output=True)
    file.write_text(file.read_text() + public.read_text())
    return file


async def test_starttls_is_for_servers_with_a_certificate_that_is_trusted(certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    async with MailServer().listening(tls=tls) as server:
        refused = await Door(server, starttls=True).send()
        assert refused.outcome == "deferred"
        assert "certificate" in refused.detail
        assert server.mails == []
        assert (await Door(server, starttls=True, cafile=str(certificate)).send()).outcome == "accepted"


async def test_an_address_beyond_ascii_needs_a_server_that_takes_it(server: MailServer) -> None:
    refused = await Door(server).send(to="jörg@vendor.example")
    assert (refused.outcome, refused.code) == ("refused", None)
    assert "jörg" not in refused.detail
    async with MailServer().listening(utf8=True) as modern:
        assert (await Door(modern).send(to="jörg@vendor.example")).outcome == "accepted"
        assert modern.recipients == ["jörg@vendor.example"]
