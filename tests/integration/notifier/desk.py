"""Deliveries on PostgreSQL with a scripted way out and a clock that is moved by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.clock import ManualClock
from tests.unit.notifier.builders import KIM, LEASE, RETRIES, an_entry
from tests.unit.notifier.fakes import FixedRenderer, NoLinks, ScriptedChannel

from csm_common.contracts.envelope import Envelope
from notifier.adapters.work import work_on
from notifier.application.delivery_rules import DeliveryRules
from notifier.application.handlers.claiming import Job
from notifier.application.handlers.delivery import Delivery
from notifier.application.lanes import Lanes
from notifier.application.ports import Attempted, Channel, Linker, OpenWork, Renderer
from notifier.application.views import NotificationDetail
from notifier.domain.breakers import BreakerRules
from notifier.domain.notification import Notification
from notifier.domain.policy import ClassRules, ContactPolicy

OPEN = ContactPolicy(classes=dict.fromkeys(("internal", "transactional", "marketing"), ClassRules()))
"""A policy that lets everything go but to those who must not be written to."""

RULES = DeliveryRules(retries=RETRIES, lease=LEASE, contact_policy=OPEN)


def pseudonym(address: str) -> str:
    """A person's, which a test can read."""
    return f"person:{address}"


async def detail(open_work: OpenWork, notification_id: str = "n-1") -> NotificationDetail:
    """All that is known of one."""
    async with open_work() as work:
        found = await work.notifications.detail(notification_id)
    assert found is not None
    return found


async def facts(engine: AsyncEngine) -> list[dict[str, object]]:
    """The data of the facts in the outbox, oldest first."""
    async with engine.connect() as connection:
        values = await connection.scalars(text("SELECT value FROM outbox ORDER BY id"))
    return [msgspec.json.decode(each, type=Envelope).data for each in values]


@dataclass
class Desk:
    """One sender's deliveries; several share an engine, a channel and a clock."""

    engine: AsyncEngine
    channel: ScriptedChannel = field(default_factory=ScriptedChannel)
    clock: ManualClock = field(default_factory=ManualClock)
    rules: DeliveryRules = RULES
    renderer: Renderer = field(default_factory=FixedRenderer)
    linker: Linker = field(default_factory=NoLinks)
    owner: str = "sender-1"

    def __post_init__(self) -> None:
        self.open_work = work_on(self.engine)
        self.lanes = Lanes(BreakerRules())
        channels: dict[str, Channel] = {"email": self.channel}
        self.delivery = Delivery(
            self.renderer,
            self.linker,
            channels,
            self.rules,
            self.lanes,
            pseudonym,
            self.clock,
            self.owner,
            lambda: 0.0,
        )

    async def know_kim(self) -> None:
        """Kim is the owner, and has an address."""
        async with self.open_work() as work:
            await work.directory.record([an_entry(email=KIM.email, name=KIM.name, role="owner")])

    async def take_in(self, *notifications: Notification) -> None:
        """Kim is known, the notifications are pending."""
        await self.know_kim()
        await self.ask(*notifications)

    async def ask(self, *notifications: Notification) -> None:
        """The notifications are pending."""
        async with self.open_work() as work:
            await work.notifications.add(notifications, self.clock.now())

    async def claim(self, limit: int = 10) -> Sequence[Job]:
        """What is to be sent now."""
        async with self.open_work() as work:
            jobs, _ = await self.delivery.claim(work, limit)
        return jobs

    async def record(self, *attempted: Attempted) -> list[str]:
        """Those that were still ours."""
        async with self.open_work() as work:
            return sorted(await self.delivery.record(work, attempted))

    async def round(self, limit: int = 10) -> list[Attempted]:
        """Claim, attempt and record everything that is due."""
        attempted = [await self.delivery.attempt(job) for job in await self.claim(limit)]
        assert await self.record(*attempted) == sorted(each.begun.notification.id for each in attempted)
        return attempted

    async def later(self, **by: float) -> list[Attempted]:
        """A round after so much time."""
        self.clock.advance(timedelta(**by))
        return await self.round()

    async def detail(self, notification_id: str = "n-1") -> NotificationDetail:
        """All that is known of one."""
        return await detail(self.open_work, notification_id)

    async def told(self) -> list[str]:
        """What the product was told of outcomes, oldest first."""
        return [f"{each['id']} {each['status']}" for each in await facts(self.engine)]
