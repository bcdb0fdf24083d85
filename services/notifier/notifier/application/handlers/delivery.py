"""Deliver notifications: claim those that are due, attempt each without any transaction, record how it ended."""

from collections.abc import Callable, Collection, Mapping, Sequence

from csm_common.clock import Clock
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from csm_common.telemetry.tracing import remote_context, tracer
from notifier.application.delivery_rules import DeliveryRules
from notifier.application.handlers.claiming import Claiming, Job
from notifier.application.handlers.outcomes import tell
from notifier.application.handlers.ruling import Case, reached, released
from notifier.application.lanes import Lanes
from notifier.application.ports import (
    Attempted,
    Begun,
    Channel,
    Left,
    Linker,
    Outgoing,
    PersonOf,
    Renderer,
    TemplateError,
    Work,
)
from notifier.domain.briefing import brief
from notifier.domain.delivery import Answer, Verdict, after_answer
from notifier.domain.notification import Status

log = get_logger(__name__)


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
        self._clock = clock
        self._claiming = Claiming(channels, rules, lanes, person_of, owner)
        self._chance = chance

    async def claim(self, work: Work, limit: int) -> tuple[Sequence[Job], Left]:
        """Take those of up to `limit` due ones that may go now; also what is left."""
        return await self._claiming.claim(work, limit, self._clock.now())

    def released(self, jobs: Sequence[Job]) -> None:
        """The transaction of their claim has failed: they are not ours."""
        self._claiming.released(jobs, self._clock.now())

    def opened(self) -> bool:
        """Whether, since this was asked last, an endpoint that was full has got room."""
        return self._lanes.opened()

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
        trend = [{"at": each.at, "score": each.score} for each in job.trend]
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
