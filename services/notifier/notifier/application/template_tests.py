"""Sending a template to oneself: at once, over the email channel, marked as a test, and without the address being kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

from csm_common.clock import Clock
from csm_common.errors import InvalidError
from notifier.application.ports import Begun, Channel, OpenWork, Outgoing, Settled
from notifier.application.template_samples import notification
from notifier.application.templating import Look, Templating
from notifier.domain.addresses import is_address
from notifier.domain.delivery import Answer, Outcome, Verdict
from notifier.domain.notification import Notification, Status
from notifier.domain.recipients import Recipient

MARK = "[Test] "
_ENOUGH = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSent:
    """How the mail server answered; `notification_id` is what it is kept as."""

    __test__ = False

    notification_id: str
    outcome: Outcome
    code: int | None
    detail: str
    subject: str


class TemplateTests:
    """Sends with `channels`."""

    __test__ = False

    def __init__(
        self, templating: Templating, channels: Mapping[str, Channel], open_work: OpenWork, clock: Clock
    ) -> None:
        self._templating = templating
        self._channels = channels
        self._open_work = open_work
        self._clock = clock

    async def send(self, name: str, to: str, look: Look, actor: str) -> TestSent:
        """InvalidError for what is no address, and where the template cannot be rendered or there is no email channel."""
        channel = self._channels.get("email")
        if channel is None:
            raise InvalidError(
                "No mail server is set, so nothing can be sent: set CSM_SMTP__HOST and CSM_SMTP__SENDER."
            )
        if not is_address(to):
            raise InvalidError("`to` is no email address.")
        seen = await self._templating.preview(name, look)
        test = notification(name, {}, self._clock.now(), id=f"test-{uuid4().hex}")
        words = replace(seen.words, subject=MARK + seen.words.subject)
        begun = _begun(test, to, look.locale, self._clock)
        answer = await channel.send(
            Outgoing(begun=begun, words=words, now=self._clock.now(), variables=dict(seen.variables))
        )
        await self._keep(test, answer)
        told: dict[str, Any] = {"notification_id": test.id, "outcome": answer.outcome, "locale": look.locale}
        await self._templating.tested(name, actor, **told)
        return TestSent(
            notification_id=test.id,
            outcome=answer.outcome,
            code=answer.code,
            detail=answer.detail,
            subject=words.subject,
        )

    async def _keep(self, test: Notification, answer: Answer) -> None:
        """Taken in and settled in one transaction, so that no sender comes across it."""
        status: Literal[Status.SENT, Status.FAILED] = (
            Status.SENT if answer.outcome == "accepted" else Status.FAILED
        )
        verdict = Verdict(status=status, reason=f"a test of the template: {answer.detail}")
        async with self._open_work() as work:
            await work.notifications.add([test], self._clock.now())
            await work.notifications.settle([Settled(notification=test, verdict=verdict)], self._clock.now())


def _begun(test: Notification, to: str, locale: str | None, clock: Clock) -> Begun:
    recipient = Recipient("team_inbox", to, locale=locale)
    return Begun(
        notification=test,
        recipient=recipient,
        why="a test",
        endpoint="email",
        attempt=1,
        tries=0,
        lease_until=clock.now() + _ENOUGH,
    )
