"""The sinks as a process: a real mail over SMTP, a real webhook over HTTP."""

import smtplib
import tempfile
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from tests.support.ports import free_port

from csm_cli.stack.home import Home
from csm_cli.stack.options import Options
from csm_cli.stack.ports import Ports
from csm_cli.stack.services import sinks


@pytest.fixture
async def ports() -> AsyncIterator[Ports]:
    """Running sinks, by the ports they listen on."""
    with tempfile.TemporaryDirectory(prefix="csm-test-sinks-") as directory:
        plan = {**Ports.from_base(1).as_dict(), "sinks": free_port(), "smtp": free_port()}
        options = Options(home=Home(Path(directory)), ports=Ports(**plan))
        child = sinks(options)
        child.spawn()
        try:
            child.wait_ready()
            yield options.ports
        finally:
            child.stop()


async def test_a_mail_sent_over_smtp_can_be_read_over_http(ports: Ports) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "csm@example.com",
        "Anna <anna@acme.example>",
        "Grüße",
    )
    message.set_content("Hallo")
    with smtplib.SMTP("127.0.0.1", ports.smtp) as server:
        server.send_message(message)

    async with httpx.AsyncClient(base_url=ports.url("sinks")) as client:
        [mail] = (await client.get("/mails", params={"to": "anna@acme.example"})).json()
        assert (mail["from"], mail["subject"]) == ("csm@example.com", "Grüße")
        assert (await client.get("/mails", params={"to": "bob@acme.example"})).json() == []
        assert (await client.delete("/mails")).status_code == 204
        assert (await client.get("/mails")).json() == []


async def test_a_webhook_is_answered_and_can_be_read(ports: Ports) -> None:
    async with httpx.AsyncClient(base_url=ports.url("sinks")) as client:
        answer = await client.post("/webhooks/crm", json={"score": 41})

        assert answer.status_code == 200
        [webhook] = (await client.get("/webhooks")).json()
        assert (webhook["path"], webhook["body"]) == ("/webhooks/crm", '{"score":41}')
