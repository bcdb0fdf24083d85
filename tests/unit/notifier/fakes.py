"""The ways out, as scripts: a channel that answers as it is told, words that are always the same, messages without links."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.notifier.builders import WORDS

from notifier.application.ports import Begun, Links, Manners, Outgoing, Rendered, TemplateError
from notifier.domain.delivery import Answer
from notifier.domain.notification import Notification
from notifier.domain.recipients import BY_MAIL, Reach, Recipient

KEPT = Answer("accepted", "Kept", 250)


class FixedRenderer:
    """Always the same words, and none for the template `broken`; `seen` are the locales and variables it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[str | None, Mapping[str, Any]]] = []

    async def render(self, template: str, locale: str | None, variables: Mapping[str, Any]) -> Rendered:
        """The words."""
        self.seen.append((locale, variables))
        if template == "broken":
            raise TemplateError("template broken: 'owner' is undefined")
        return WORDS


class NoLinks:
    """Messages that nobody can unsubscribe from, and that nobody watches."""

    def links(self, begun: Begun) -> Links:
        """None."""
        return Links()

    def marked(self, begun: Begun, words: Rendered) -> Rendered:
        """As they are."""
        return words


@dataclass
class ScriptedChannel:
    """Gives the answers of a script in turn, the last one for ever; `gate` holds sends back while it is not set."""

    answers: list[Answer] = field(default_factory=lambda: [KEPT])
    reach: Reach = BY_MAIL
    manners: Manners = field(default_factory=lambda: Manners(at_once=100))

    def __post_init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.sent: list[Outgoing] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.on_send: Callable[[], None] = lambda: None
        self._abandoned = False

    def endpoint(self, recipient: Recipient) -> str:
        """Each endpoint has its own, persons share one."""
        return f"endpoint:{recipient.address}" if recipient.kind == "endpoint" else "mail"

    async def send(self, message: Outgoing) -> Answer:
        """Note the message and answer."""
        self.on_send()
        self.sent.append(message)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await self.gate.wait()
        self.in_flight -= 1
        if self._abandoned:
            return Answer("deferred", "told to stop")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def abandon(self) -> None:
        """Open the gate, answering that nothing came of it."""
        self._abandoned = not self.gate.is_set()
        self.gate.set()

    @property
    def addresses(self) -> list[str]:
        """Where messages went, in turn."""
        return [each.begun.recipient.address for each in self.sent]

    @property
    def notifications(self) -> list[Notification]:
        """Which were sent, in turn."""
        return [each.begun.notification for each in self.sent]
