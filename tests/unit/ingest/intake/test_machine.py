"""Any calls of a few people, in any order, repeated and through any failure: every message ends once, in one place."""

import json
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.support.clock import ManualClock
from tests.unit.ingest.fakes import MemoryBrokers
from tests.unit.ingest.imports.fakes import MemoryJobs
from tests.unit.ingest.memory_archive import MemoryArchive
from tests.unit.ingest.memory_store import MemoryStore

from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.errors import TransientError
from ingest.adapters.configuration import Configuration
from ingest.application.handlers import Handlers
from ingest.application.incoming import Received
from ingest.application.replays import Selection
from ingest.application.sources import SourceTally
from ingest.assembly import Parts, create_handlers
from ingest.settings import DoorSettings

USERS, COOKIES, ACCOUNTS = ["kim", "lou", "max"], ["c-1", "c-2"], ["acme", "globex"]
EVERYTHING = Selection()

Call = dict[str, Any]

WHO = st.one_of(
    st.builds(lambda user: {"userId": user}, st.sampled_from(USERS)),
    st.builds(lambda cookie: {"anonymousId": cookie}, st.sampled_from(COOKIES)),
    st.builds(
        lambda user, cookie: {"userId": user, "anonymousId": cookie},
        st.sampled_from(USERS),
        st.sampled_from(COOKIES),
    ),
)
WHEN = st.none() | st.integers(0, 59).map(lambda minute: f"2026-03-02T08:{minute:02}:00Z")
TRACK = st.builds(lambda who: {"type": "track", "event": "Export"} | who, WHO)
TRACK_IN = st.builds(
    lambda who, account: {"type": "track", "event": "Export", "context": {"groupId": account}} | who,
    WHO,
    st.sampled_from(ACCOUNTS),
)
IDENTIFY = st.builds(lambda who: {"type": "identify", "traits": {"role": "user"}} | who, WHO)
GROUP = st.builds(
    lambda who, account: {"type": "group", "groupId": account} | who, WHO, st.sampled_from(ACCOUNTS)
)
ALIAS = st.builds(
    lambda new, old: {"type": "alias", "userId": new, "previousId": old},
    st.sampled_from(USERS),
    st.sampled_from(USERS + COOKIES),
)
CALL = st.builds(
    lambda call, when: call | {"timestamp": when}, TRACK | TRACK | TRACK_IN | IDENTIFY | GROUP | ALIAS, WHEN
)
REQUEST = st.lists(CALL, min_size=1, max_size=4)
FAILURE = st.sampled_from(["none", "none", "none", "brokers", "half of the brokers", "database"])


ResultT = TypeVar("ResultT")


def finished(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """The result of something that never has to wait, since all it leans on is in memory."""
    try:
        work.send(None)
    except StopIteration as end:
        result: ResultT = end.value
        return result
    raise AssertionError("it waits for something")


@dataclass
class World:
    """What outlives a process: tables and brokers; and the process that runs now."""

    store: MemoryStore = field(default_factory=MemoryStore)
    brokers: MemoryBrokers = field(default_factory=MemoryBrokers)
    clock: ManualClock = field(default_factory=ManualClock)
    handlers: Handlers = field(init=False)

    def __post_init__(self) -> None:
        """Start the first process."""
        self.restart()

    def restart(self) -> None:
        """A process that remembers nothing."""
        parts = Parts(
            store=self.store, jobs=MemoryJobs(), archive=MemoryArchive(), publisher=self.brokers, clock=self.clock,
            tally=SourceTally(), connections={}, environment={},
        )  # fmt: skip
        self.handlers = create_handlers(DoorSettings(), Configuration(), parts)

    def facts(self) -> list[dict[str, Any]]:
        """All facts on the log and on their way to it."""
        topic = CUSTOMER_EVENTS.name
        waiting = [each for each in self.store.tables.outbox.messages if each.topic == topic]
        return [json.loads(each.value or b"") for each in (*self.brokers.logs[topic], *waiting)]


class Calls(RuleBasedStateMachine):
    """`requests` are all that were ever sent; `promised` are ids of messages with what was answered for durable."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.requests: list[Sequence[Call]] = []
        self.promised: dict[str, Call] = {}
        self.refused: set[str] = set()
        self.numbers = iter(range(10**9))

    @rule(calls=REQUEST, failure=FAILURE)
    def send(self, calls: list[Call], failure: str) -> None:
        """Something new."""
        request = [each | {"messageId": f"m-{next(self.numbers)}"} for each in calls]
        self.requests.append(request)
        self.post(request, failure)

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), failure=FAILURE)
    def send_again(self, data: st.DataObject, failure: str) -> None:
        """What was sent before, answered or not."""
        self.post(data.draw(st.sampled_from(self.requests)), failure)

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def send_again_with_another_body(self, data: st.DataObject) -> None:
        """An id that is known, and another event."""
        request = data.draw(st.sampled_from(self.requests))
        tracks = [each for each in request if each["type"] == "track" and "context" not in each]
        self.post([each | {"event": "Other"} for each in tracks], "none")

    @rule()
    def restart(self) -> None:
        """The process dies, and another one takes over."""
        self.world.restart()

    @rule()
    def replay(self) -> None:
        """An operator tries everything again that is listed, days later."""
        self.world.clock.advance(timedelta(days=2))
        finished(self.world.handlers.replay.run(EVERYTHING, 1_000))

    @rule()
    def release(self) -> None:
        """What still waits although its account is known is let go."""
        finished(self.world.handlers.release.round())

    @invariant()
    def no_fact_is_in_two_accounts_or_says_two_things(self) -> None:
        """However often it is on the log."""
        said: dict[str, Any] = {}
        for fact in self.world.facts():
            told = (fact["type"], fact["subject"], fact["data"])
            assert said.setdefault(fact["id"], told) == told

    @invariant()
    def nobody_has_a_contact_under_a_name_that_is_gone(self) -> None:
        """An alias moves the record, and nothing brings it back."""
        persons = self.world.store.tables.people.persons
        for _, name in self.world.store.tables.contacts.known:
            assert persons.get(name, name) == name

    def teardown(self) -> None:
        """All is sent again until it is answered, and all people are put into an account: now everything is somewhere."""
        for request in self.requests:
            self.post(request, "none")
        people = [{"userId": each} for each in USERS] + [{"anonymousId": each} for each in COOKIES]
        last = [
            {"type": "group", "groupId": "acme", "messageId": f"last-{n}"} | who
            for n, who in enumerate(people)
        ]
        self.post(last, "none")
        self.check()

    def check(self) -> None:
        """What was promised is on the log as it was promised; what was refused is kept; nothing else is anywhere."""
        rejections = self.world.store.tables.rejections.rows.values()
        assert all(each.person is None for each in rejections), "something still waits"
        features = {fact["id"]: fact["data"].get("feature") for fact in self.world.facts()}
        for key, call in self.promised.items():
            if call["type"] == "alias":
                assert key not in features
            else:
                assert features.pop(key) == (call["event"] if call["type"] == "track" else None)
        assert features == {}
        assert self.refused <= {each.message_id for each in rejections if each.code == "conflicting_id"}

    def post(self, calls: Sequence[Call], failure: str) -> None:
        """One request; what is answered for is promised from now on."""
        bodies = [json.dumps(each).encode() for each in calls]
        at = self.world.clock.now()
        received = [Received(format="segment", source="sdk/app", body=each, at=at) for each in bodies]
        with ExitStack() as stack:
            self.fail(failure, stack)
            try:
                outcomes = finished(self.world.handlers.intake.take(received))
            except TransientError:
                return
        for call, outcome in zip(calls, outcomes, strict=True):
            if outcome.status == "rejected":
                assert outcome.code == "conflicting_id"
                self.refused.add(call["messageId"])
            else:
                assert self.promised.setdefault(call["messageId"], call).get("event") == call.get("event")

    def fail(self, failure: str, stack: ExitStack) -> None:
        """Let something be away until the stack ends."""
        match failure:
            case "brokers":
                stack.enter_context(self.world.brokers.losing(CUSTOMER_EVENTS.name))
            case "half of the brokers":
                stack.enter_context(self.world.brokers.losing_every_second(CUSTOMER_EVENTS.name))
            case "database":
                self.world.store.away = True
                stack.callback(setattr, self.world.store, "away", False)


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
