"""Settling messages: what each becomes, and all that follows from it but publishing, in one transaction."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.application.accepted import Accepted
from ingest.application.attribution import Asked, Verdict, attribute, speaks_of_people
from ingest.application.contact_records import keep_contacts, move_contacts
from ingest.application.facts import Facts, as_kept, kept, kept_of
from ingest.application.incoming import Incoming, Received
from ingest.application.outcome import Outcome
from ingest.application.parking import digest_of, held_message, message_key, refused_now, rejection_of
from ingest.application.ports import Decision, Rejection, Work
from ingest.application.recent import Recent, Seen
from ingest.domain.decision import Rejected
from ingest.domain.people import Circle

CONFLICT = "conflicting_id"
RELEASED_AT_ONCE = 2_000

_UNREAD = Rejected("unreadable", "The message could not be read.")


@dataclass(frozen=True, slots=True)
class Read:
    """A message, what its reader made of it, and what speaks against it, if anything does."""

    received: Received
    made: Incoming | None
    problem: Rejected | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a message: the facts that are still to be published, or the rejection that is to be kept."""

    outcome: Outcome
    facts: Sequence[Accepted] = ()
    rejection: Rejection | None = None

    @property
    def needs_work(self) -> bool:
        """Whether something has to be written down before it is published."""
        return self.rejection is not None or any(fact.contact for fact in self.facts)


class MergingError(Exception):
    """Persons turn out to be one: the work has to begin again, with everyone else kept out."""


class Settlement:
    """`hold_for` is how long a message waits for its account before it is listed."""

    def __init__(self, facts: Facts, recent: Recent, hold_for: timedelta) -> None:
        self._facts = facts
        self._recent = recent
        self._hold_for = hold_for

    def plain(self, messages: Sequence[Read], now: datetime) -> list[Settled] | None:
        """What becomes of messages of which none speaks of people; None where one does."""
        if any(_asked(each) for each in messages):
            return None
        seen = Seen(self._recent)
        return [self._settled(each, None, seen, now) for each in messages]

    async def attributed(
        self,
        work: Work,
        messages: Sequence[Read],
        now: datetime,
        *,
        merging: bool,
        tried: Collection[str] = (),
    ) -> list[Settled]:
        """The same for messages that speak of people. MergingError when that needs `merging`.

        Rejections with the ids `tried` are these messages themselves, which are judged anew.
        """
        asked = [_asked(each) for each in messages]
        asking = [each for each in asked if each is not None]
        circle = Circle(
            await work.people.lock({name for each in asking for name in each.incoming.users}, merging=merging)
        )
        keys = {each.key for each in asking}
        decisions, held = await work.people.decisions(keys), await work.rejections.held(keys)
        held = {key: each for key, each in held.items() if each.id not in tried}
        verdicts = iter(attribute(asking, circle, decisions, held))
        if circle.links and not merging:
            raise MergingError
        by_message = [None if each is None else next(verdicts) for each in asked]
        seen = Seen(self._recent)
        settled = [
            self._settled(each, verdict, seen, now)
            for each, verdict in zip(messages, by_message, strict=True)
        ]
        await work.people.decide(dict(_decisions(asked, by_message, settled)), now)
        await self._learn(work, circle, now)
        return settled

    async def keep(self, work: Work, settled: Iterable[Settled]) -> None:
        """Write down what has to be."""
        settled = list(settled)
        await work.rejections.add([each.rejection for each in settled if each.rejection])
        await keep_contacts(work, [fact for each in settled for fact in each.facts])

    # ---- one message

    def _settled(self, read: Read, verdict: Verdict | None, seen: Seen, now: datetime) -> Settled:
        made = read.made
        if made is None or read.problem is not None:
            return _rejected(read.received, read.problem or _UNREAD, made)
        if verdict is not None and verdict.status == "conflict":
            return _rejected(read.received, conflict(made.id), made)
        if verdict is not None and verdict.status == "waiting":
            return Settled(Outcome(id=made.id, status="held"))
        if verdict is not None and verdict.status == "waits":
            held = held_message(read.received, made, verdict.person or "", kept(made), now + self._hold_for)
            return Settled(Outcome(id=made.id, status="held"), rejection=held)
        return self._given(read.received, made, verdict, seen, now)

    def _given(
        self, received: Received, made: Incoming, verdict: Verdict | None, seen: Seen, now: datetime
    ) -> Settled:
        account = (verdict.account if verdict else made.account) or made.account or made.joins or ""
        # With the decision was kept what it tells of a contact, who may go by another name since.
        was_given = verdict is not None and not verdict.new
        facts = []
        for judged in self._facts.of(kept_of(made), account, verdict.person if verdict else None, now):
            if isinstance(judged, Rejected):
                return _rejected(received, judged, made)
            facts.append(judged._replace(contact=None) if was_given else judged)
        repeats = [seen.repeats(fact) for fact in facts]
        if "other" in repeats:
            return _rejected(received, conflict(made.id), made)
        if facts and all(repeats):
            return Settled(Outcome(id=made.id, status="duplicate"), facts)
        return Settled(Outcome(id=made.id, status="accepted"), facts)

    # ---- what follows

    async def _learn(self, work: Work, circle: Circle, now: datetime) -> None:
        """Keep what was learned of people, and let go what waited for it."""
        await work.people.save(circle)
        await work.rejections.rename(circle.merged)
        await move_contacts(work, circle.merged)
        await self.release(work, circle, circle.joined, now)

    async def release(self, work: Work, circle: Circle, persons: Collection[str], now: datetime) -> None:
        """Attribute what waits for these persons of the circle: the oldest, as much as fits into one transaction."""
        released = await work.rejections.release(persons, RELEASED_AT_ONCE)
        facts: list[Accepted] = []
        decisions: dict[str, Decision] = {}
        refused: list[Rejection] = []
        for each in released:
            person = circle.persons[each.person or ""].name
            account = circle.account_of(person) or ""
            judged = self._facts.of(as_kept(each.drafts or b""), account, person, each.received_at)
            if problem := next((one for one in judged if isinstance(one, Rejected)), None):
                refused.append(refused_now(each, problem))
                continue
            facts += [one for one in judged if isinstance(one, Accepted)]
            decisions[each.message_key] = Decision(digest=each.digest, account=account, person=person)
        await work.people.decide(decisions, now)
        await work.rejections.add(refused)
        await keep_contacts(work, facts)
        await work.outbox.add([fact.message for fact in facts])


def _asked(read: Read) -> Asked | None:
    made = read.made
    if made is None or read.problem is not None or not speaks_of_people(made):
        return None
    return Asked(key=message_key(made.source, made.id), digest=digest_of(made), incoming=made)


def _decisions(
    asked: Sequence[Asked | None], verdicts: Sequence[Verdict | None], settled: Sequence[Settled]
) -> Iterable[tuple[str, Decision]]:
    """Of what is given for the first time; what is refused after all may be sent again as something else."""
    for each, verdict, what in zip(asked, verdicts, settled, strict=True):
        if each is None or verdict is None or what.rejection is not None:
            continue
        if verdict.new and verdict.account is not None:
            yield each.key, Decision(digest=each.digest, account=verdict.account, person=verdict.person)


def _rejected(received: Received, problem: Rejected, made: Incoming | None) -> Settled:
    rejection = rejection_of(received, problem, made)
    outcome = Outcome(id=rejection.message_id, status="rejected", code=problem.code, message=problem.message)
    return Settled(outcome, rejection=rejection)


def conflict(id: str) -> Rejected:
    """The decision against a message that gives a known id to something else."""
    return Rejected(
        CONFLICT, f"The id {id} was given to something else before. Give every message an id of its own."
    )
