"""The whole service between a broker, PostgreSQL, a mail server and a person: from the mail's own header to its silence."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.integration.notifier.smtp import MailServer
from tests.integration.notifier.test_service import Service, asking, facts_about, settings_for
from tests.support.brokers import Broker
from tests.support.postgres import PostgresServer
from tests.support.waiting import eventually
from tests.unit.notifier.outcomes.samples import mail

from csm_common.contracts.contacts import ContactRecorded
from csm_common.contracts.notifications import NotificationRequest, Recipient
from csm_common.database.engine import create_engine
from csm_common.web.keys import KeyStore
from notifier.adapters.tokens import ReturnAddresses, link_key
from notifier.domain.addresses import Mailbox
from notifier.settings import Settings

_POLICY = """
zone: UTC
classes:
  internal: {consent: none, unsubscriptions: false, caps: false, quiet_hours: false}
  transactional: {consent: none, unsubscriptions: false, caps: false, quiet_hours: false}
  marketing: {consent: opt_out, unsubscriptions: true, caps: false, quiet_hours: false}
"""
BOUNCES = "bounces@mail.example.com"


def _settings(plain: Settings, policy: Path) -> Settings:
    """With all that brings things back; whoever may write at any hour."""
    policy.write_text(_POLICY)
    smtp = plain.smtp.model_copy(update={"bounce_address": BOUNCES})
    changes = {
        "public_url": f"http://127.0.0.1:{plain.http.port}",
        "tracking": True,
        "policy_file": policy,
    }
    return plain.model_copy(update={"smtp": smtp, "notifier": plain.notifier.model_copy(update=changes)})


@pytest.fixture(scope="module")
async def service(
    postgres: PostgresServer, fresh_broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Service, ReturnAddresses]]:
    """Ready, with the return addresses it makes."""
    policy = tmp_path_factory.mktemp("policy") / "policy.yaml"
    async with postgres.database() as database, MailServer().listening() as server:
        admin = create_engine(database.admin_dsn)
        token = await KeyStore(admin).create(
            name="test", scopes=["notifications:read", "notifications:write"]
        )
        await admin.dispose()
        whole = Service(
            _settings(settings_for(database, fresh_broker, server), policy), fresh_broker, server, token
        )
        await whole.start()
        async with database.engine("notifier") as engine:
            yield whole, ReturnAddresses(await link_key(engine), Mailbox(BOUNCES))
        await whole.stop()
        await whole.client.aclose()


async def _sent(service: Service, account: str) -> str:
    """A marketing letter to Jo that went out."""
    await service.tell(
        ContactRecorded(account_id=account, contact_id="jo", email=f"jo@{account}.example", locale="de")
    )
    id_, request = _letter(account)
    await service.ask((id_, request))
    await service.becomes(id_, "sent")
    return id_


def _letter(account: str) -> tuple[str, NotificationRequest]:
    return asking(
        account,
        template="more_licences",
        message_class="marketing",
        category="expansion",
        recipients=[Recipient(kind="contact", value="jo")],
    )


async def test_one_click_on_the_mails_own_header_ends_all_that_follows(
    service: tuple[Service, ReturnAddresses],
) -> None:
    whole, addresses = service
    id_ = await _sent(whole, "click-co")
    (message,) = [each for each in whole.server.mails if each["X-CSM-Notification"] == id_]
    ways = [each.strip("<> ") for each in message["List-Unsubscribe"].split(",")]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert ways[1] == f"mailto:{addresses.unsubscribes(id_)}?subject=unsubscribe"
    assert addresses.bounces(id_) in whole.server.senders
    part = message.get_body(("html",))
    assert part is not None
    html = part.get_content()
    async with httpx.AsyncClient() as person:
        assert (await person.get(html.partition('<img src="')[2].partition('"')[0])).status_code == 200
        assert (await person.post(ways[0], data={"List-Unsubscribe": "One-Click"})).status_code == 200
        listed = (await whole.client.get("/v1/suppressions", params={"account": "click-co"})).json()
    assert [(each["reason"], each["category"]) for each in listed["suppressions"]] == [
        ("unsubscribed", "expansion")
    ]
    second, request = _letter("click-co")
    await whole.ask((second, request))
    await whole.becomes(second, "suppressed")

    async def told() -> bool:
        facts = await facts_about(whole, "click-co")
        return {"delivered", "opened", "unsubscribed", "suppressed"} <= {
            each.data["status"] for each in facts
        }

    await eventually(told, what="all of it is told")


async def test_a_bounce_to_the_envelopes_sender_closes_the_address(
    service: tuple[Service, ReturnAddresses],
) -> None:
    whole, addresses = service
    id_ = await _sent(whole, "bounce-co")
    bounce = mail("postfix", addresses, id_)
    headers = {"Content-Type": "message/rfc822"}
    answer = await whole.client.post("/v1/mails", content=bounce, headers=headers)
    assert (answer.json()["taken_for"], answer.json()["suppressed"]) == ("bounced", True)
    second, request = _letter("bounce-co")
    await whole.ask((second, request))
    found = await whole.becomes(second, "suppressed")
    assert found["policy"][-1]["rule"] == "hard_bounce"


async def test_the_description_of_the_doors_is_whole(service: tuple[Service, ReturnAddresses]) -> None:
    document = (await service[0].client.get("/openapi.json")).json()
    assert {"/v1/unsubscribe/{token}", "/v1/preferences/{token}", "/v1/suppressions", "/v1/mails"} <= set(
        document["paths"]
    )
    assert "message/rfc822" in document["paths"]["/v1/mails"]["post"]["requestBody"]["content"]
