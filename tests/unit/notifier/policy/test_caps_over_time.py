"""Caps over weeks of sending, retrying and giving up: what people get is counted, not what was decided."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.support.clock import START
from tests.unit.notifier.builders import a_notification

from notifier.domain.caps import Cap, Reserved
from notifier.domain.notification import Notification
from notifier.domain.policy import ClassRules, Contacted, ContactPolicy
from notifier.domain.policy_decision import Standing, decide
from notifier.domain.recipients import Recipient

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PERSONS = {each: Recipient("contact", f"{each}@customer.example", each) for each in "ab"}
CAPS = (Cap("person", 1, DAY), Cap("person", 3, 7 * DAY, Reserved(100, 1)), Cap("account", 4, 7 * DAY))
POLICY = ContactPolicy(classes={"marketing": ClassRules(caps=True)}, caps=CAPS)


@dataclass
class Message:
    """A message on its way: when it is looked at next."""

    notification: Notification
    person: str
    due: datetime


class Weeks(RuleBasedStateMachine):
    """One account with two people. Messages are asked for, held, sent after a while, retried, refused."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.asked = 0
        self.waiting: dict[str, Message] = {}
        self.history: dict[str, Contacted] = {}
        self.arrived: list[Contacted] = []

    @rule(person=st.sampled_from("ab"), priority=st.sampled_from((0, 50, 100)))
    def ask(self, person: str, priority: int) -> None:
        """A playbook asks for one more."""
        self.asked += 1
        name = f"n-{self.asked}"
        wanted = a_notification(name, message_class="marketing", priority=priority, requested_at=self.now)
        self.waiting[name] = Message(wanted, person, self.now)

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        """Time goes by."""
        self.now += hours * HOUR

    @rule()
    def wait_for_the_next(self) -> None:
        """Until the very instant at which something is due."""
        self.now = max([self.now, min((each.due for each in self.waiting.values()), default=self.now)])

    @rule(
        ends=st.lists(st.sampled_from(("sent", "sent", "deferred", "refused")), min_size=1),
        took=st.integers(0, 120),
    )
    def send(self, ends: list[str], took: int) -> None:
        """Whatever is due is decided about, and what may go is attempted."""
        due = sorted(
            (each for each in self.waiting.values() if each.due <= self.now),
            key=lambda each: (-each.notification.priority, each.notification.requested_at),
        )
        going = [each for each in due if self._may_go(each)]
        for number, each in enumerate(going):
            self._ended(each, ends[number % len(ends)], self.now + timedelta(seconds=took))
        self.now += timedelta(seconds=120)

    def _may_go(self, message: Message) -> bool:
        name = message.notification.id
        standing = Standing(
            to_person=[each for each in self.history.values() if each.person == message.person],
            about_account=list(self.history.values()),
        )
        ruling = decide(POLICY, message.notification, PERSONS[message.person], standing, self.now)
        if ruling.word == "hold":
            assert ruling.until is not None
            assert ruling.until > self.now
            message.due = ruling.until
            self.history.pop(name, None)
            return False
        assert ruling.word == "send"
        self.history[name] = _contacted(message, self.now)
        return True

    def _ended(self, message: Message, how: str, at: datetime) -> None:
        name = message.notification.id
        if how == "deferred":
            message.due = self.now + 5 * HOUR
            return
        del self.waiting[name]
        if how == "refused":
            del self.history[name]
            return
        self.history[name] = _contacted(message, at)
        self.arrived.append(self.history[name])

    @invariant()
    def no_window_of_what_arrived_is_too_full(self) -> None:
        """Counted at the receiver."""
        for cap in CAPS:
            for each in self.arrived:
                window = [
                    other
                    for other in self.arrived
                    if each.at <= other.at < each.at + cap.within
                    and (cap.per == "account" or other.person == each.person)
                ]
                assert len(window) <= cap.limit
                if cap.reserved is not None:
                    ordinary = [other for other in window if other.priority < cap.reserved.priority]
                    assert len(ordinary) <= cap.limit - cap.reserved.slots


def _contacted(message: Message, at: datetime) -> Contacted:
    asked = message.notification
    return Contacted(
        notification_id=asked.id,
        account_id=asked.account_id,
        person=message.person,
        at=at,
        priority=asked.priority,
        category=asked.category,
        message_class=asked.message_class,
    )


TestWeeks = Weeks.TestCase
TestWeeks.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from((0, 100))), max_size=25))
def test_whoever_comes_at_the_instant_a_hold_names_goes(asked: list[tuple[int, int]]) -> None:
    sent: list[Contacted] = []
    for hours, priority in sorted(asked):
        now = START + hours * HOUR
        wanted = a_notification(f"n-{len(sent)}", message_class="marketing", priority=priority)
        standing = Standing(to_person=sent, about_account=sent)
        ruling = decide(POLICY, wanted, PERSONS["a"], standing, now)
        if ruling.until is not None:
            now = ruling.until
            assert (
                decide(POLICY, wanted, PERSONS["a"], standing, now - timedelta(microseconds=1)).word == "hold"
            )
            ruling = decide(POLICY, wanted, PERSONS["a"], standing, now)
        assert ruling.word == "send"
        if now == START + hours * HOUR:
            sent.append(_contacted(Message(wanted, "a", now), now))
