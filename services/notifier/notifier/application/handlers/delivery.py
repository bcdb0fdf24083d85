"""Deliver notifications: decide about those that are due, attempt each without any transaction, record how it ended.

A decision and its begin are one transaction, committed before anything is sent, and the begin counts as an attempt: should the
sender die in between, the lease runs out and whoever comes next knows that the attempt before ended nobody knows how.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from csm_common.clock import Clock
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from csm_common.telemetry.tracing import remote_context, tracer
from notifier.application.handlers.digests import fold
from notifier.application.handlers.outcomes import tell
from notifier.application.handlers.ruling import Case, reached, released, rule
from notifier.application.lanes import Lanes
from notifier.application.ports import (
    Attempted,
    Begun,
    Channel,
    Due,
    Left,
    Linker,
    Outgoing,
    PersonOf,
    Renderer,
    Settled,
    TemplateError,
    TrendPoint,
    Work,
)
from notifier.domain.briefing import brief
from notifier.domain.delivery import Answer, Verdict, after_answer, held, too_late, while_unknown
from notifier.domain.notification import HeldBy, Status
from notifier.domain.policy import ContactPolicy, Ruling
from notifier.domain.recipients import Contact, Decision, Recipient, resolve
from notifier.domain.retries import RetrySchedule

log = get_logger(__name__)

_FINAL_WORDS = {"suppress": Status.SUPPRESSED, "cap": Status.CAPPED, "drop": Status.DROPPED}
_HELD_BY: Mapping[str, HeldBy] = {"quiet_hours": "quiet_hours", "digest": "digest"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """What an operator decides: see the settings of the same names."""

    retries: RetrySchedule
    lease: timedelta
    contact_policy: ContactPolicy
    team_inbox: str | None = None
    directory_grace: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Job:
    """An attempt that has begun, with what its template is told of the account's past."""

    begun: Begun
    trend: Sequence[TrendPoint] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A due notification whose recipient is known."""

    due: Due
    decision: Decision
    recipient: Recipient
    endpoint: str
    person: str | None


class Delivery:
    """The steps between a due notification and its outcome. `chance` gives numbers from 0 to 1 that spread the retries."""

    def __init__(
        self,
        renderer: Renderer,
        linker: Linker,
        channels: Mapping[str, Channel],
        rules: DeliveryRules,
        lanes: Lanes,
        person_of: PersonOf,
        clock: Clock,
        owner: str,
        chance: Callable[[], float],
    ) -> None:
        self._renderer = renderer
        self._linker = linker
        self._channels = channels
        self._rules = rules
        self._lanes = lanes
        self._person_of = person_of
        self._clock = clock
        self._owner = owner
        self._chance = chance

    async def claim(self, work: Work, limit: int) -> tuple[Sequence[Job], Left]:
        """Decide about up to `limit` due notifications: those that may go now begin and are ours for the length of the lease.

        Also what is left.
        """
        now = self._clock.now()
        due = await work.notifications.due(now, limit, self._lanes.full)
        if not due:
            return (), "for_room" if self._lanes.full else "nothing"
        looked_at_all = len(due) < limit
        due = [*due, *await work.digests.companions(due, now)]
        contacts = await work.directory.of_accounts({each.notification.account_id for each in due})
        settled, plans = self._plan(due, contacts, now)
        plans, folded = await self._fold(work, plans, now)
        plans, crowded = self._with_room(plans)
        rulings = await rule(work, [_case(each) for each in plans], self._rules.contact_policy, now)
        begun: list[Begun] = []
        try:
            for plan in plans:
                ruling = rulings[plan.due.notification.id]
                verdict = await self._hinders(work, plan, ruling, now)
                if verdict is not None:
                    settled.append(_settled(plan, verdict))
                elif self._lanes.enter(plan.endpoint, self._channel(plan.due).manners):
                    begun.append(self._begin(plan, ruling, now))
            await self._write(work, [*plans, *crowded], begun, [*settled, *folded], now)
            more = not looked_at_all or (crowded and len(begun) < len(plans))
            left: Left = "more" if more else "for_room" if self._lanes.full else "nothing"
            return await self._jobs(work, begun), left
        except BaseException:
            self.released([Job(each) for each in begun])
            raise

    def released(self, jobs: Sequence[Job]) -> None:
        """The transaction of their claim has failed: they are not ours."""
        for each in jobs:
            self._lanes.leave(each.begun.endpoint, None, self._clock.now())

    def opened(self) -> bool:
        """Whether, since this was asked last, an endpoint that was full has got room."""
        return self._lanes.opened()

    # ---- deciding

    def _plan(
        self, due: Sequence[Due], contacts: Mapping[str, Sequence[Contact]], now: datetime
    ) -> tuple[list[Settled], list[_Plan]]:
        settled: list[Settled] = []
        plans: list[_Plan] = []
        for each in due:
            verdict = self._ended(each, now)
            if verdict is not None:
                settled.append(Settled(notification=each.notification, verdict=verdict))
                continue
            planned = self._address(each, contacts.get(each.notification.account_id, ()), now)
            if isinstance(planned, _Plan):
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

    def _address(self, due: Due, contacts: Sequence[Contact], now: datetime) -> _Plan | Settled:
        notification, channel = due.notification, self._channel(due)
        wanted = resolve(notification, contacts, channel.reach)
        grace = self._rules.directory_grace
        waits = while_unknown(wanted, notification, due.received_at, now, grace)
        if waits is not None:
            return Settled(notification=notification, verdict=waits, decision=wanted)
        team_inbox = self._rules.team_inbox if notification.channel == "email" else None
        decision = resolve(notification, contacts, channel.reach, team_inbox)
        if decision.recipient is None:
            nobody = Verdict(status=Status.UNDELIVERABLE, reason=decision.why)
            return Settled(notification=notification, verdict=nobody, decision=decision)
        recipient = decision.recipient
        return _Plan(
            due=due,
            decision=decision,
            recipient=recipient,
            endpoint=channel.endpoint(recipient),
            person=self._person_of(recipient.address) if recipient.person else None,
        )

    async def _fold(
        self, work: Work, plans: list[_Plan], now: datetime
    ) -> tuple[list[_Plan], Sequence[Settled]]:
        waited = {each.due.notification.id: each for each in plans if each.due.held_by == "digest"}
        if not waited:
            return plans, ()
        cases = [_case(each) for each in waited.values()]
        folded = await fold(work, cases, self._rules.contact_policy, now)
        gone = {each.notification.id for each in folded}
        return [each for each in plans if each.due.notification.id not in gone], folded

    def _with_room(self, plans: Sequence[_Plan]) -> tuple[list[_Plan], list[_Plan]]:
        """Those whose endpoint has room for them, and the others, which nothing is decided about yet."""
        wanted: Counter[str] = Counter()
        within: list[_Plan] = []
        beyond: list[_Plan] = []
        for each in plans:
            wanted[each.endpoint] += 1
            if wanted[each.endpoint] <= self._lanes.room(each.endpoint, self._channel(each.due).manners):
                within.append(each)
            else:
                beyond.append(each)
                self._lanes.crowd(each.endpoint)
        return within, beyond

    async def _hinders(self, work: Work, plan: _Plan, ruling: Ruling, now: datetime) -> Verdict | None:
        notification = plan.due.notification
        if ruling.word in _FINAL_WORDS:
            return Verdict(status=_FINAL_WORDS[ruling.word], reason=ruling.reason)
        if ruling.word == "hold" and ruling.until is not None:
            return held(notification, _HELD_BY.get(ruling.rule, "cap"), ruling.until, ruling.reason)
        rests = self._lanes.rests_until(plan.endpoint, now)
        if rests is not None:
            return held(notification, "endpoint", rests, "the endpoint is out of order, or asked for a pause")
        every = self._channel(plan.due).manners.every
        turn = await work.paces.turn(plan.endpoint, every, now) if every else None
        if turn is not None:
            return held(notification, "endpoint", turn, "the endpoint takes its messages one by one")
        return None

    def _begin(self, plan: _Plan, ruling: Ruling, now: datetime) -> Begun:
        due = plan.due
        return Begun(
            notification=due.notification,
            recipient=plan.recipient,
            why=plan.decision.why,
            endpoint=plan.endpoint,
            attempt=due.attempts + 1,
            tries=due.tries + 1,
            lease_until=now + self._rules.lease,
            person=plan.person,
            valid_until=ruling.valid_until,
        )

    async def _write(
        self,
        work: Work,
        plans: Sequence[_Plan],
        begun: Sequence[Begun],
        settled: Sequence[Settled],
        now: datetime,
    ) -> None:
        ours = {each.notification.id for each in begun} | {each.notification.id for each in settled}
        left = {
            each.due.notification.id: each.endpoint for each in plans if each.due.notification.id not in ours
        }
        await work.notifications.begin(begun, self._owner, now)
        await work.notifications.settle(settled, now)
        await work.notifications.meant_for(left)
        await released(work, left.keys() | {each.notification.id for each in settled})
        await tell(work, [(each.notification, each.verdict, each.person) for each in settled], now)

    async def _jobs(self, work: Work, begun: Sequence[Begun]) -> list[Job]:
        trends = await work.health.trends({each.notification.account_id for each in begun})
        threads = await work.notifications.threads(begun)
        return [
            Job(
                replace(each, thread=threads.get(each.notification.id, ())),
                trends.get(each.notification.account_id, ()),
            )
            for each in begun
        ]

    def _channel(self, due: Due) -> Channel:
        return self._channels[due.notification.channel]

    # ---- sending

    async def attempt(self, job: Job) -> Attempted:
        """Send. Seconds may pass here: call it with no transaction open."""
        notification = job.begun.notification
        with tracer.start_as_current_span(
            "notifier.attempt", context=remote_context(notification.traceparent)
        ) as span:
            answer = None
            try:
                attempted = await self._attempt(job)
                answer = attempted.verdict.answer
            finally:
                self._lanes.leave(job.begun.endpoint, answer, self._clock.now())
            span.set_attributes(
                {
                    "csm.notification.id": notification.id,
                    "csm.notification.status": attempted.verdict.status,
                    "csm.attempt.number": job.begun.attempt,
                    "csm.attempt.outcome": answer.outcome if answer else "none",
                }
            )
            return attempted

    async def _attempt(self, job: Job) -> Attempted:
        begun, now = job.begun, self._clock.now()
        if begun.valid_until is not None and now >= begun.valid_until:
            # Decided too long ago: quiet hours have begun since.
            again = Verdict(
                status=Status.HELD, reason="it is decided about anew", wake_at=now, held_by="endpoint"
            )
            return Attempted(begun, again)
        links = self._linker.links(begun)
        trend = [asdict(each) for each in job.trend]
        variables = brief(
            begun.notification,
            now,
            trend,
            unsubscribe_url=links.unsubscribe,
            preferences_url=links.preferences,
        )
        try:
            words = await self._renderer.render(
                begun.notification.template, begun.recipient.locale, variables
            )
        except TemplateError as error:
            return Attempted(begun, Verdict(status=Status.FAILED, reason=str(error)))
        words = self._linker.marked(begun, words)
        outgoing = Outgoing(begun=begun, words=words, now=now, links=links, variables=variables)
        answer = await self._channels[begun.notification.channel].send(outgoing)
        return Attempted(begun, self._verdict(answer, begun))

    def _verdict(self, answer: Answer, begun: Begun) -> Verdict:
        return after_answer(
            answer,
            begun.notification,
            begun.tries,
            self._clock.now(),
            self._rules.retries,
            self._chance(),
            repeatable=self._channels[begun.notification.channel].manners.repeatable,
        )

    async def record(self, work: Work, attempted: Sequence[Attempted]) -> Collection[str]:
        """Write outcomes down and tell the product of final ones: the ids of those that were still ours."""
        now = self._clock.now()
        ours = await work.notifications.record(attempted, now)
        mine = [each for each in attempted if each.begun.notification.id in ours]
        sent = [each.begun for each in mine if each.verdict.status is Status.SENT]
        cases = [Case(each.notification, each.recipient, each.person) for each in sent]
        await reached(work, cases, self._rules.contact_policy, now)
        ended = [each for each in mine if each.verdict.status not in (Status.SENT, Status.RETRY)]
        await released(work, [each.begun.notification.id for each in ended])
        await tell(work, [(each.begun.notification, each.verdict, each.begun.person) for each in mine], now)
        return ours

    def tell(self, done: Sequence[Attempted], ours: Collection[str]) -> None:
        """Count and log them, once they last."""
        for each in done:
            if each.begun.notification.id in ours:
                _tell_one(each)
            else:
                log.warning(
                    "another sender has taken over; this attempt is not recorded",
                    notification=each.begun.notification.id,
                    attempt=each.begun.attempt,
                )


def _tell_one(each: Attempted) -> None:
    begun, verdict = each.begun, each.verdict
    outcome = verdict.answer.outcome if verdict.answer else "none"
    metrics.notifications_sent.add(1, {"channel": begun.notification.channel, "outcome": outcome})
    log.info(
        "attempt recorded",
        notification=begun.notification.id,
        account=begun.notification.account_id,
        attempt=begun.attempt,
        status=verdict.status.value,
        outcome=outcome,
        code=verdict.answer.code if verdict.answer else None,
    )


def _case(plan: _Plan) -> Case:
    return Case(
        notification=plan.due.notification,
        recipient=plan.recipient,
        person=plan.person,
        digest_due=plan.due.held_by == "digest",
    )


def _settled(plan: _Plan, verdict: Verdict) -> Settled:
    return Settled(
        notification=plan.due.notification,
        verdict=verdict,
        decision=plan.decision,
        endpoint=plan.endpoint,
        person=plan.person,
    )
