"""All that reads and writes what people do with messages, as the settings want it and under the one key of the tables."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.clock import Clock
from notifier.adapters.inbound_mail import InboundMailReader
from notifier.adapters.links import SignedLinks
from notifier.adapters.pages import PublicPages
from notifier.adapters.tokens import ReturnAddresses, Tokens, link_key
from notifier.domain.addresses import Mailbox
from notifier.settings import Settings


@dataclass(frozen=True, slots=True)
class OutcomeParts:
    """For sending: `linker`. For the public pages: `tokens` and `pages`. For mails that come back: `mails`."""

    linker: SignedLinks
    tokens: Tokens
    pages: PublicPages
    mails: InboundMailReader


async def outcome_parts(settings: Settings, engine: AsyncEngine, clock: Clock) -> OutcomeParts:
    """Load the key, once, after the migrations."""
    key = await link_key(engine)
    tokens, bounce_address = Tokens(key, clock), settings.smtp.bounce_address
    addresses = ReturnAddresses(key, Mailbox.parse(bounce_address)) if bounce_address else None
    sender = Mailbox.parse(settings.smtp.sender)
    titles = {
        name: {str(each): title for each, title in by.items()}
        for name, by in settings.notifier.categories.items()
    }
    public_url, tracking = settings.notifier.public_url, settings.notifier.tracking
    return OutcomeParts(
        linker=SignedLinks(tokens, public_url, addresses, tracking=tracking),
        tokens=tokens,
        pages=PublicPages(sender.name or sender.domain, titles),
        mails=InboundMailReader(addresses),
    )
