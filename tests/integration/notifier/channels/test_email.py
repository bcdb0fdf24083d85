"""The email channel against a real SMTP server: every kind of answer, and none."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.notifier.smtp import MailServer
from tests.support.waiting import eventually
from tests.unit.notifier.builders import RECIPIENT, WORDS
from tests.unit.notifier.channels.messages import NO_LINKS, outgoing

from notifier.adapters.channels.email import EmailChannel
from notifier.adapters.smtp_connections import SmtpConnections
from notifier.application.ports import Links
from notifier.domain.addresses import Mailbox
from notifier.domain.delivery import Answer
from notifier.domain.recipients import Recipient
from notifier.settings import SmtpSettings

OPENLY = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


class Door:
    """A channel to a mail server."""

    def __init__(
        self, server: MailServer, timeout_s: float = 20.0, idle_s: float = 30.0, **settings: Any
    ) -> None:
        self.connections = SmtpConnections(
            SmtpSettings(host="127.0.0.1", port=server.port, sender="cs@vendor.example", **settings),
            idle_s=idle_s,
        )
        self.channel = EmailChannel(
            self.connections, Mailbox("cs@vendor.example", "Customer Success"), timeout_s=timeout_s
        )

    async def send(self, id_: str = "n-1", to: str = RECIPIENT.address, links: Links = NO_LINKS) -> Answer:
        """One mail."""
        recipient = Recipient("contact", to, "kim", "Kim")
        return await self.channel.send(outgoing(recipient, links=links, id=id_))


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


@pytest.mark.parametrize(
    ("answer", "at_recipient", "after_mail"),
    [
        ("550 5.1.1 no such user", True, True),
        ("553 5.1.3 bad address", True, True),
        ("554 5.1.2 no such host", True, True),
        ("551 5.1.6 has moved", True, True),
        ("556 5.1.10 takes no mail", False, False),
        ("550 5.2.1 mailbox is closed", True, True),
        ("550 no such user", True, False),
        ("551 not here", True, False),
        ("553 not allowed", True, False),
        ("554 no", False, False),
        ("550 5.7.1 you are on a list", False, False),
        ("550 5.7.26 not authenticated", False, False),
        ("550 5.1.8 we do not like the sender", False, False),
        ("550 5.1.7 bad sender", False, False),
        ("552 5.2.2 mailbox is full", False, False),
        ("550 5.4.1 no way there", False, False),
        ("450 4.1.1 not yet", False, False),
    ],
)
async def test_addresses_that_will_never_take_a_mail_are_told_from_refused_mails(
    server: MailServer, answer: str, at_recipient: bool, after_mail: bool
) -> None:
    server.answers = [answer]
    mail = await Door(server).send()
    server.to_recipients[RECIPIENT.address] = answer
    recipient = await Door(server).send()
    assert (recipient.bounced, mail.bounced) == (at_recipient, after_mail)


async def test_bounces_go_to_where_the_links_say(server: MailServer) -> None:
    door = Door(server)
    await door.send("n-1", links=Links(bounces_to="bounces+t0ken@vendor.example"))
    await door.send("n-2")
    assert server.senders == ["bounces+t0ken@vendor.example", "cs@vendor.example"]
    assert {each["From"] for each in server.mails} == {"Customer Success <cs@vendor.example>"}


async def test_a_connection_has_its_share_of_mails(server: MailServer) -> None:
    door = Door(server, mails_per_connection=2)
    for number in range(5):
        await door.send(f"n-{number}")
    assert server.connections == 3


async def test_a_connection_nobody_needs_is_hung_up(server: MailServer) -> None:
    door = Door(server, idle_s=0.05)
    await asyncio.gather(*(door.send(f"n-{number}") for number in range(3)))
    await eventually(lambda: not server.talking)
    assert (await door.send("n-4")).outcome == "accepted"
    await eventually(lambda: not server.talking)


async def test_after_a_bad_answer_a_lost_greeting_is_known_not_to_be_a_mail(server: MailServer) -> None:
    server.answers = ["451 later"]
    door = Door(server, timeout_s=0.3)
    assert (await door.send("n-1")).outcome == "deferred"
    server.to_recipients[RECIPIENT.address] = "421 closing down"
    answer = await door.send("n-2")
    assert (answer.outcome, answer.fault) == ("deferred", True)


async def test_what_is_kept_of_an_answer_has_no_address_and_can_be_stored(server: MailServer) -> None:
    server.to_recipients[RECIPIENT.address] = f"550 <{RECIPIENT.address.upper()}> is\x00{'not known ' * 100}"
    detail = (await Door(server).send()).detail
    assert detail.startswith("550 <(recipient)> is not known")
    assert "\x00" not in detail
    assert len(detail) < 520


async def test_nobody_listening_is_a_reason_to_try_again() -> None:
    answer = await Door(MailServer()).send()
    assert (answer.outcome, answer.code, answer.fault) == ("deferred", None, True)
    assert answer.detail.startswith("the mail server is not available")


async def test_a_server_that_never_answers_is_given_up(server: MailServer) -> None:
    server.released.clear()
    answer = await Door(server, timeout_s=0.3).send()
    assert (answer.outcome, answer.code, answer.fault) == ("unknown", None, True)
    assert "took longer than 0.3 s" in answer.detail


async def test_a_server_that_does_not_even_greet_is_given_up() -> None:
    server = MailServer()
    over = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", server.port):
        answer = await Door(server, timeout_s=0.3).send()
        over.set()
    assert (answer.outcome, answer.fault) == ("deferred", True)


async def test_a_connection_lost_in_the_middle_of_a_mail_leaves_nobody_knowing(server: MailServer) -> None:
    server.released.clear()
    door = Door(server)
    sending = asyncio.create_task(door.send())
    await eventually(lambda: server.waiting == 1)
    server.hang_up()
    answer = await sending
    assert (answer.outcome, answer.code, answer.fault) == ("unknown", None, True)
    assert "connection was lost" in answer.detail
    server.released.set()
    assert (await door.send("n-2")).outcome == "accepted"


async def test_what_is_abandoned_answers_at_once(server: MailServer) -> None:
    server.released.clear()
    door = Door(server)
    sends = [asyncio.create_task(door.send(f"n-{number}")) for number in range(2)]
    await eventually(lambda: server.waiting == 2)
    door.channel.abandon()
    answers = [await each for each in sends]
    assert [(each.outcome, each.fault) for each in answers] == [("unknown", False)] * 2


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


async def test_a_long_way_out_arrives_whole(server: MailServer) -> None:
    link = f"https://a.example/u/{'t' * 300}"
    await Door(server).send(links=Links(unsubscribe=link, unsubscribe_mail="u+1@vendor.example"))
    (mail,) = server.mails
    assert mail["List-Unsubscribe"] == f"<{link}>, <mailto:u+1@vendor.example>"


async def test_login_comes_after_starttls(certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    async with MailServer().listening(tls=tls, password="right", login_over_tls=True) as server:
        settings: dict[str, Any] = {"starttls": True, "cafile": str(certificate), "username": "cs"}
        assert (await Door(server, **settings, password="right").send()).outcome == "accepted"
        wrong = await Door(server, **settings, password="wrong").send("n-2")
        assert (wrong.outcome, wrong.code, wrong.fault) == ("deferred", 535, True)
        assert len(server.mails) == 1


async def test_silence_before_the_mail_itself_means_that_it_did_not_go_out(server: MailServer) -> None:
    server.deaf_to = {RECIPIENT.address}
    door = Door(server, timeout_s=0.3)
    server.answers = ["451 later"]
    assert (await door.send("n-1", to="other@vendor.example")).outcome == "deferred"
    server.released.clear()
    answer = await door.send("n-2")
    assert (answer.outcome, answer.fault) == ("deferred", True)
    assert server.connections == 1
