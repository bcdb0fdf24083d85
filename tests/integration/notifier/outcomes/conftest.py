"""The doors for people and operators on PostgreSQL: the real app, in process, with a clock that is moved by hand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import Desk, facts, pseudonym
from tests.support.keys import MemoryKeys
from tests.unit.notifier.builders import LEASE, RETRIES, a_notification, an_entry
from tests.unit.notifier.fakes import ScriptedChannel

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from notifier.adapters.inbound_mail import InboundMailReader
from notifier.adapters.links import SignedLinks
from notifier.adapters.pages import PublicPages
from notifier.adapters.tokens import ReturnAddresses, Tokens, link_key
from notifier.application.delivery_rules import DeliveryRules
from notifier.application.ports import Links, OpenWork
from notifier.domain.addresses import Mailbox
from notifier.domain.notification import Wanted
from notifier.domain.policy import ClassRules, ContactPolicy
from notifier.entrypoints.mails_api import mail_routes
from notifier.entrypoints.public_pages import public_routes
from notifier.entrypoints.suppressions_api import suppression_routes

JO = "jo@customer.example"
PERSON = pseudonym(JO)
PUBLIC = "http://people"
RULES = DeliveryRules(
    retries=RETRIES,
    lease=LEASE,
    contact_policy=ContactPolicy(
        classes={"marketing": ClassRules(unsubscriptions=True), "transactional": ClassRules()}
    ),
)


@dataclass
class Service:
    """A sender, a person who reads mails, and an operator with a key."""

    desk: Desk
    addresses: ReturnAddresses
    tokens: Tokens
    person: httpx.AsyncClient
    operator: httpx.AsyncClient
    reader: httpx.AsyncClient
    told: list[str] = field(default_factory=list)

    @property
    def open_work(self) -> OpenWork:
        """Transactions."""
        return self.desk.open_work

    @property
    def channel(self) -> ScriptedChannel:
        """The way out."""
        return self.desk.channel

    async def ask(self, id: str = "n-1", **changes: Any) -> None:
        """A marketing message to Jo is wanted."""
        fields: dict[str, Any] = {"message_class": "marketing", "category": "expansion"}
        await self.desk.ask(
            a_notification(id, **{**fields, "recipients": (Wanted("contact", "jo"),), **changes})
        )

    async def sent(self, id: str = "n-1", **changes: Any) -> Links:
        """It went out: its links."""
        await self.ask(id, **changes)
        await self.desk.round()
        assert await self.status(id) == "sent"
        return self.channel.sent[-1].links

    async def status(self, id: str) -> str:
        """Where it stands."""
        return (await self.desk.detail(id)).status.value

    async def facts(self, *without: str) -> list[dict[str, object]]:
        """What the product was told, but for these statuses."""
        return [each for each in await facts(self.desk.engine) if each["status"] not in without]

    async def in_force(self) -> list[tuple[str | None, str]]:
        """Category and reason of Jo's suppressions."""
        async with self.open_work() as work:
            found = (await work.suppressions.of([PERSON])).get(PERSON, ())
        return sorted(((each.category, each.reason) for each in found), key=str)


@pytest.fixture
async def service(engine: AsyncEngine) -> AsyncIterator[Service]:
    """Jo is a contact of acme, who reads German."""
    async with engine.begin() as tx:
        await tx.execute(text("TRUNCATE suppressions, contacted, decisions, responses, inbound_mails"))
    desk = Desk(engine, rules=RULES)
    key = await link_key(engine)
    tokens = Tokens(key, desk.clock)
    addresses = ReturnAddresses(key, Mailbox("bounces@mail.example.com"))
    desk = Desk(engine, clock=desk.clock, rules=RULES, linker=SignedLinks(tokens, PUBLIC, addresses))
    async with desk.open_work() as work:
        await work.directory.record([an_entry("jo", email=JO, name="Jo", locale="de-AT")])
    keys, told = MemoryKeys(), []
    app = create_web_app(
        title="notifier",
        description="",
        authenticator=Authenticator(keys, desk.clock),
        routers=[
            public_routes(
                desk.open_work, tokens, PublicPages("The Team"), desk.clock, lambda: told.append("told")
            ),
            suppression_routes(desk.open_work, pseudonym, desk.clock),
            mail_routes(
                desk.open_work, InboundMailReader(addresses), desk.clock, lambda: told.append("told")
            ),
        ],
        ready={},
        alive={},
    )

    def client(token: str | None = None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC, headers=headers)

    operator = client(keys.add("operator", scopes=["notifications:read", "notifications:write"]))
    reader = client(keys.add("reader", scopes=["notifications:read"]))
    async with client() as person, operator, reader:
        yield Service(desk, addresses, tokens, person, operator, reader, told)
