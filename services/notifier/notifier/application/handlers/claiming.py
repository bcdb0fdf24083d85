"""Claim notifications that are due: decide about each, begin those that may go, settle the others, all in one transaction.

It is committed before anything is sent, and the begin counts as an attempt: should the sender die in between, the lease runs out
and whoever comes next knows that the attempt before ended nobody knows how.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from notifier.application.delivery_rules import DeliveryRules
from notifier.application.handlers.digests import fold
from notifier.application.handlers.outcomes import tell
from notifier.application.handlers.planning import Plan, Planning
from notifier.application.handlers.ruling import released, rule
from notifier.application.lanes import Lanes
from notifier.application.ports import Begun, Channel, Left, PersonOf, Settled, TrendPoint, Work
from notifier.domain.delivery import Verdict, held
from notifier.domain.notification import HeldBy, Status
from notifier.domain.policy import Ruling

_FINAL_WORDS = {"suppress": Status.SUPPRESSED, "cap": Status.CAPPED, "drop": Status.DROPPED}
_HELD_BY: Mapping[str, HeldBy] = {"quiet_hours": "quiet_hours", "digest": "digest"}


@dataclass(frozen=True, slots=True)
class Job:
    """An attempt that has begun, with what its template is told of the account's past."""

    begun: Begun
    trend: Sequence[TrendPoint] = ()


class Claiming:
    """By one sender, the `owner`, over the channels there are and the room they have."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        rules: DeliveryRules,
        lanes: Lanes,
        person_of: PersonOf,
        owner: str,
    ) -> None:
        self._channels = channels
        self._rules = rules
        self._lanes = lanes
        self._planning = Planning(channels, rules, person_of)
        self._owner = owner

    async def claim(self, work: Work, limit: int, now: datetime) -> tuple[Sequence[Job], Left]:
        """Decide about up to `limit` due notifications: those that may go now begin and are ours for the length of the lease.

        Also what is left.
        """
        due = await work.notifications.due(now, limit, self._lanes.full)
        if not due:
            return (), "for_room" if self._lanes.full else "nothing"
        looked_at_all = len(due) < limit
        due = [*due, *await work.digests.companions(due, now)]
        contacts = await work.directory.of_accounts({each.notification.account_id for each in due})
        settled, plans = self._planning.plan(due, contacts, now)
        plans, folded = await self._fold(work, plans, now)
        plans, crowded = self._with_room(plans)
        rulings = await rule(work, [each.case for each in plans], self._rules.contact_policy, now)
        begun: list[Begun] = []
        try:
            for plan in plans:
                ruling = rulings[plan.id]
                verdict = await self._hinders(work, plan, ruling, now)
                if verdict is not None:
                    settled.append(plan.settled(verdict))
                elif self._lanes.enter(plan.endpoint, self._channel(plan).manners):
                    begun.append(self._begin(plan, ruling, now))
            await self._write(work, plans, begun, [*settled, *folded], now)
            await work.notifications.meant_for({each.id: each.endpoint for each in crowded})
            more = not looked_at_all or (crowded and len(begun) < len(plans))
            left: Left = "more" if more else "for_room" if self._lanes.full else "nothing"
            return await self._jobs(work, begun), left
        except BaseException:
            self.released([Job(each) for each in begun], now)
            raise

    def released(self, jobs: Sequence[Job], now: datetime) -> None:
        """The transaction of their claim has failed: they are not ours."""
        for each in jobs:
            self._lanes.leave(each.begun.endpoint, None, now)

    async def _fold(
        self, work: Work, plans: list[Plan], now: datetime
    ) -> tuple[list[Plan], Sequence[Settled]]:
        waited = {each.id: each for each in plans if each.due.held_by == "digest"}
        if not waited:
            return plans, ()
        cases = [each.case for each in waited.values()]
        folded = await fold(work, cases, self._rules.contact_policy, now)
        gone = {each.notification.id for each in folded}
        return [each for each in plans if each.id not in gone], folded

    def _with_room(self, plans: Sequence[Plan]) -> tuple[list[Plan], list[Plan]]:
        """Those whose endpoint has room for them, and the others, which nothing is decided about yet."""
        wanted: Counter[str] = Counter()
        within: list[Plan] = []
        beyond: list[Plan] = []
        for each in plans:
            wanted[each.endpoint] += 1
            if wanted[each.endpoint] <= self._lanes.room(each.endpoint, self._channel(each).manners):
                within.append(each)
            else:
                beyond.append(each)
                self._lanes.crowd(each.endpoint)
        return within, beyond

    async def _hinders(self, work: Work, plan: Plan, ruling: Ruling, now: datetime) -> Verdict | None:
        notification = plan.due.notification
        if ruling.word in _FINAL_WORDS:
            return Verdict(status=_FINAL_WORDS[ruling.word], reason=ruling.reason)
        if ruling.word == "hold" and ruling.until is not None:
            return held(notification, _HELD_BY.get(ruling.rule, "cap"), ruling.until, ruling.reason)
        rests = self._lanes.rests_until(plan.endpoint, now)
        if rests is not None:
            return held(notification, "endpoint", rests, "the endpoint is out of order, or asked for a pause")
        every = self._channel(plan).manners.every
        turn = await work.paces.turn(plan.endpoint, every, now) if every else None
        if turn is not None:
            return held(notification, "endpoint", turn, "the endpoint takes its messages one by one")
        return None

    def _begin(self, plan: Plan, ruling: Ruling, now: datetime) -> Begun:
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
        plans: Sequence[Plan],
        begun: Sequence[Begun],
        settled: Sequence[Settled],
        now: datetime,
    ) -> None:
        ended = {each.notification.id for each in settled}
        ours = ended | {each.notification.id for each in begun}
        left = {each.id: each.endpoint for each in plans if each.id not in ours}
        await work.notifications.begin(begun, self._owner, now)
        await work.notifications.settle(settled, now)
        await work.notifications.meant_for(left)
        await released(work, left.keys() | ended)
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

    def _channel(self, plan: Plan) -> Channel:
        return self._channels[plan.due.notification.channel]
