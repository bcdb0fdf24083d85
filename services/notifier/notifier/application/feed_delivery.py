"""Deliver the feed's messages: begin those that are due, post each without any transaction, record how it ended."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from csm_common.clock import Clock
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from csm_common.telemetry.tracing import remote_context, tracer
from notifier.application.feed_ports import AttemptedDelivery, BegunDelivery, Feed, Post
from notifier.application.lanes import Lanes
from notifier.application.ports import Left, Manners
from notifier.domain.delivery import after_answer
from notifier.domain.retries import RetrySchedule
from notifier.domain.subscriptions import DisableRules, Fitness, after_attempt

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRules:
    """What an operator decides: see the settings of the same names."""

    retries: RetrySchedule
    lease: timedelta
    disable: DisableRules
    at_once: int


class FeedDelivery:
    """Implements pollers.Deliveries. `chance` gives numbers from 0 to 1 that spread the retries."""

    def __init__(
        self,
        post: Post,
        rules: FeedRules,
        lanes: Lanes,
        clock: Clock,
        owner: str,
        chance: Callable[[], float],
    ) -> None:
        self._post = post
        self._rules = rules
        self._lanes = lanes
        self._manners = Manners(at_once=rules.at_once)
        self._clock = clock
        self._owner = owner
        self._chance = chance
        self._unwell: set[str] = set()

    async def claim(self, feed: Feed, limit: int) -> tuple[Sequence[BegunDelivery], Left]:
        """Take up to `limit` due ones into our hands, none for an endpoint that has no room or rests."""
        now = self._clock.now()
        self._unwell = {each for each in self._unwell if self._lanes.rests_until(each, now) is not None}
        busy = [each.removeprefix("subscription:") for each in {*self._lanes.full, *self._unwell}]
        due = await feed.deliveries.due(now, now + self._rules.lease, limit, self._rules.at_once, busy)
        begun: list[BegunDelivery] = []
        try:
            begun.extend(each for each in due if self._lanes.enter(each.endpoint, self._manners))
            await feed.deliveries.begin(begun, self._owner, now)
        except BaseException:
            self.released(begun)
            raise
        return begun, "more" if begun else "for_room"

    def released(self, jobs: Sequence[BegunDelivery]) -> None:
        """Their claim was not committed."""
        for each in jobs:
            self._lanes.leave(each.endpoint, None, self._clock.now())

    def opened(self) -> bool:
        """Always: the database counts places, too, and gives them back when outcomes are recorded."""
        return True

    async def attempt(self, job: BegunDelivery) -> AttemptedDelivery:
        """Post, with no transaction open: an endpoint may take its time."""
        with tracer.start_as_current_span(
            "notifier.feed.attempt", context=remote_context(job.traceparent)
        ) as span:
            started = time.monotonic()
            answer = None
            try:
                answer = await self._post(
                    job.url, message_id=job.id, body=job.body, secrets=job.secrets, at=self._clock.now()
                )
            finally:
                self._lanes.leave(job.endpoint, answer, self._clock.now())
            if answer.outcome != "accepted":
                self._unwell.add(job.endpoint)
            now, chance = self._clock.now(), self._chance()
            verdict = after_answer(answer, job, job.tries, now, self._rules.retries, chance)
            span.set_attributes(
                {
                    "csm.subscription.id": job.subscription_id,
                    "csm.delivery.id": job.id,
                    "csm.attempt.number": job.attempt,
                    "csm.attempt.outcome": answer.outcome,
                }
            )
            return AttemptedDelivery(job, verdict, (time.monotonic() - started) * 1000)

    async def record(self, feed: Feed, done: Sequence[AttemptedDelivery]) -> Collection[str]:
        """Write outcomes down, and disable endpoints that fail for too long: the ids of those that were still ours."""
        now = self._clock.now()
        ours = await feed.deliveries.record(done, now)
        mine = [each for each in done if each.begun.id in ours]
        known = await feed.subscriptions.fitness({each.begun.subscription_id for each in mine})
        judged: dict[str, tuple[Fitness, str | None]] = {}
        for each in mine:
            id_, answer = each.begun.subscription_id, each.verdict.answer
            if id_ not in known or answer is None:
                continue
            fitness, reason = judged.get(id_, (known[id_], None))
            fitness, found = after_attempt(fitness, each.verdict.status, answer, now, self._rules.disable)
            judged[id_] = fitness, reason or found
        changed = {id_: each for id_, each in judged.items() if each != (known[id_], None)}
        await feed.subscriptions.judge(changed, now)
        for id_, (_, reason) in changed.items():
            if reason is not None:
                log.warning("a subscription is disabled", subscription=id_, reason=reason)
        return ours

    def tell(self, done: Sequence[AttemptedDelivery], ours: Collection[str]) -> None:
        """Count and log them, once they last."""
        for each in done:
            answer = each.verdict.answer
            if each.begun.id not in ours or answer is None:
                continue
            metrics.notifications_sent.add(1, {"channel": "feed", "outcome": answer.outcome})
            log.info(
                "feed attempt recorded",
                delivery=each.begun.id,
                subscription=each.begun.subscription_id,
                attempt=each.begun.attempt,
                status=each.verdict.status.value,
                outcome=answer.outcome,
                code=answer.code,
            )
