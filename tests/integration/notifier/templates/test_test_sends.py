"""A test of a template as a mail server gets it."""

from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.smtp import MailServer
from tests.support.clock import ManualClock

from notifier.adapters.channels.email import EmailChannel
from notifier.adapters.smtp_connections import SmtpConnections
from notifier.adapters.templates.parts import TemplateParts
from notifier.adapters.work import work_on
from notifier.application.templating import Look
from notifier.domain.addresses import Mailbox
from notifier.settings import SmtpSettings


async def test_it_is_a_whole_mail_with_a_mark(engine: AsyncEngine) -> None:
    async with MailServer().listening() as server:
        connections = SmtpConnections(
            SmtpSettings(host="127.0.0.1", port=server.port, sender="cs@vendor.example")
        )
        email = EmailChannel(connections, Mailbox("cs@vendor.example"), timeout_s=20)
        parts = TemplateParts(engine, ManualClock(), work_on(engine), {"email": email})
        try:
            await parts.start()
            sent = await parts.tests.send(
                "account_critical", "ana@vendor.example", Look(locale="de"), "key:console"
            )
        finally:
            parts.close()
            connections.close()
    assert (sent.outcome, sent.code) == ("accepted", 250)
    (mail,) = server.mails
    assert server.recipients == ["ana@vendor.example"]
    assert (
        mail["Subject"].strip()
        == "[Test] Heute handeln: Example & Sons ist kritisch: Gesundheit 44, vorher 63"
    )
    plain, rich = (part.get_content() for part in mail.iter_parts())
    assert "WAS JETZT ZU TUN IST" in plain
    assert "Example &amp; Sons" in rich
    assert sent.notification_id in mail["Message-ID"]
