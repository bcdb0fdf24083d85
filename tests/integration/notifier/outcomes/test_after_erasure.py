"""Mails are answered for years: of an erased account nothing is told, and who said no is still obeyed."""

from datetime import timedelta

from sqlalchemy import text
from tests.integration.notifier.outcomes.conftest import PUBLIC, Service
from tests.support.clock import START
from tests.unit.notifier.outcomes.samples import ID, mail

from notifier.adapters.links import SignedLinks

TYPE = {"Content-Type": "message/rfc822"}


async def test_nothing_is_told_of_an_account_that_was_erased(service: Service) -> None:
    links = await service.sent(ID)
    async with service.open_work() as work:
        await work.erasures.of_accounts({"acme": START + timedelta(hours=1)})
    async with service.desk.engine.begin() as tx:
        await tx.execute(text("DELETE FROM outbox"))
    click = SignedLinks(service.tokens, PUBLIC, tracking=True).click(ID, "https://vendor.example", 1)
    assert (await service.person.get(click)).status_code == 302
    assert (await service.person.post(links.unsubscribe or "")).status_code == 200
    for name in ("reply", "postfix"):
        answer = await service.operator.post("/v1/mails", content=mail(name, service.addresses), headers=TYPE)
        assert answer.status_code == 200
    assert await service.facts() == []
    assert ("expansion", "unsubscribed") in await service.in_force()


async def test_an_account_that_came_back_is_told_of_again(service: Service) -> None:
    async with service.open_work() as work:
        await work.erasures.of_accounts({"acme": START - timedelta(hours=1)})
    links = await service.sent(ID)
    await service.person.post(links.unsubscribe or "")
    assert [each["status"] for each in await service.facts("delivered")] == ["unsubscribed"]
