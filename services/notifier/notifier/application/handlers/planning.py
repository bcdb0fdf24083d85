"""Plan deliveries: whom each due notification goes to, and where, or why it goes nowhere. Nothing is read or written here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from notifier.application.delivery_rules import DeliveryRules
from notifier.application.handlers.ruling import Case
from notifier.application.ports import Channel, Due, PersonOf, Settled
from notifier.domain.delivery import Verdict, too_late, while_unknown
from notifier.domain.notification import Status
from notifier.domain.recipients import Contact, Decision, Recipient, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A due notification whose recipient is known."""

    due: Due
    decision: Decision
    recipient: Recipient
    endpoint: str
    person: str | None

    @property
    def id(self) -> str:
        """The notification's."""
        return self.due.notification.id

    @property
    def case(self) -> Case:
        """What the contact policy is asked."""
        return Case(
            notification=self.due.notification,
            recipient=self.recipient,
            person=self.person,
            digest_due=self.due.held_by == "digest",
        )

    def settled(self, verdict: Verdict) -> Settled:
        """It is not sent now."""
        return Settled(
            notification=self.due.notification,
            verdict=verdict,
            decision=self.decision,
            endpoint=self.endpoint,
            person=self.person,
        )


class Planning:
    """Over the channels there are."""

    def __init__(self, channels: Mapping[str, Channel], rules: DeliveryRules, person_of: PersonOf) -> None:
        self._channels = channels
        self._rules = rules
        self._person_of = person_of

    def plan(
        self, due: Sequence[Due], contacts: Mapping[str, Sequence[Contact]], now: datetime
    ) -> tuple[list[Settled], list[Plan]]:
        """Those that go nowhere, or not yet, and the others."""
        settled: list[Settled] = []
        plans: list[Plan] = []
        for each in due:
            verdict = self._ended(each, now)
            if verdict is not None:
                settled.append(Settled(notification=each.notification, verdict=verdict))
                continue
            planned = self._address(each, contacts.get(each.notification.account_id, ()), now)
            if isinstance(planned, Plan):
                plans.append(planned)
            else:
                settled.append(planned)
        return settled, plans

    def _ended(self, due: Due, now: datetime) -> Verdict | None:
        channel = self._channels.get(due.notification.channel)
        if channel is None:
            told = f"the channel {due.notification.channel} is not set up; set it in CSM_NOTIFIER__ENDPOINTS"
            return Verdict(status=Status.UNDELIVERABLE, reason=told)
        if due.interrupted and not channel.manners.repeatable:
            told = "its sender died while sending; it may have gone out, and is not repeated"
            return Verdict(status=Status.UNKNOWN, reason=told)
        return too_late(due.notification, due.tries, now, self._rules.retries)

    def _address(self, due: Due, contacts: Sequence[Contact], now: datetime) -> Plan | Settled:
        notification, channel = due.notification, self._channels[due.notification.channel]
        wanted = resolve(notification, contacts, channel.reach)
        grace = self._rules.directory_grace
        waits = while_unknown(wanted, notification, due.received_at, now, grace)
        if waits is not None:
            return Settled(notification=notification, verdict=waits, decision=wanted)
        decision = wanted
        if wanted.recipient is None and notification.channel == "email":
            decision = resolve(notification, contacts, channel.reach, self._rules.team_inbox)
        if decision.recipient is None:
            nobody = Verdict(status=Status.UNDELIVERABLE, reason=decision.why)
            return Settled(notification=notification, verdict=nobody, decision=decision)
        recipient = decision.recipient
        return Plan(
            due=due,
            decision=decision,
            recipient=recipient,
            endpoint=channel.endpoint(recipient),
            person=self._person_of(recipient.address) if recipient.person else None,
        )
