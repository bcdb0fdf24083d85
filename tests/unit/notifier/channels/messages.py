"""Messages ready to be sent, with everything filled in that a test does not care about."""

from typing import Any

from tests.support.clock import START
from tests.unit.notifier.builders import RECIPIENT, WORDS, a_notification, begun

from notifier.application.ports import Links, Outgoing, Rendered
from notifier.domain.briefing import brief
from notifier.domain.recipients import Recipient

NO_LINKS = Links()


def outgoing(
    recipient: Recipient = RECIPIENT,
    words: Rendered = WORDS,
    links: Links = NO_LINKS,
    thread: tuple[str, ...] = (),
    **notification: Any,
) -> Outgoing:
    """A message of START, with the variables its notification gives."""
    wanted = a_notification(**notification)
    return Outgoing(
        begun=begun(wanted, recipient, thread=thread),
        words=words,
        now=START,
        links=links,
        variables=brief(wanted, START),
    )


def to_endpoint(name: str, words: Rendered = WORDS, **notification: Any) -> Outgoing:
    """The same to an endpoint."""
    return outgoing(Recipient("endpoint", name), words, **notification)
