"""Deliver notifications: claim what is due, attempt each without any transaction, record how the attempt ended.

The claim is committed before anything is sent, and it counts as an attempt: should the sender die in between, the lease runs out
and whoever claims next knows that the attempt before ended nobody knows how.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from csm_common.clock import Clock
from csm_common.telemetry.tracing import remote_context, tracer
from notifier.application.ports import Channel, Claimed, Renderer, TemplateError, Work
from notifier.domain.briefing import brief
from notifier.domain.delivery import (
    Answer,
    Verdict,
    after_answer,
    before_sending,
    nothing_sent,
    while_unknown,
)
from notifier.domain.notification import Status
from notifier.domain.recipients import Contact, Decision, resolve
from notifier.domain.retries import RetrySchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """What an operator decides: see the settings of the same names."""

    retries: RetrySchedule
    lease: timedelta
    team_inbox: str | None = None
    directory_grace: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed notification with the contacts of its account at that moment."""

    claimed: Claimed
    contacts: Sequence[Contact]


@dataclass(frozen=True, slots=True)
class Attempted:
    """How an attempt ended, yet to be recorded. `decision` is None where it was too late to look for a recipient."""

    job: Job
    decision: Decision | None
    verdict: Verdict


class Delivery:
    """The steps between a due notification and its outcome. `chance` gives numbers from 0 to 1 that spread the retries."""

    def __init__(
        self,
        renderer: Renderer,
        channels: Mapping[str, Channel],
        policy: DeliveryPolicy,
        clock: Clock,
        owner: str,
        chance: Callable[[], float],
    ) -> None:
        self._renderer = renderer
        self._channels = channels
        self._policy = policy
        self._clock = clock
        self._owner = owner
        self._chance = chance

    async def claim(self, work: Work, limit: int) -> list[Job]:
        """Take up to `limit` due notifications into our hands for the length of the lease."""
        now = self._clock.now()
        claimed = await work.notifications.claim(self._owner, now, now + self._policy.lease, limit)
        contacts = await work.directory.of_accounts({each.notification.account_id for each in claimed})
        return [Job(each, contacts.get(each.notification.account_id, ())) for each in claimed]

    async def attempt(self, job: Job) -> Attempted:
        """Send, if it can and may be sent. Seconds may pass here: call it with no transaction open."""
        context = remote_context(job.claimed.notification.traceparent)
        with tracer.start_as_current_span("notifier.attempt", context=context) as span:
            attempted = await self._attempt(job)
            span.set_attributes(
                {
                    "csm.notification.id": job.claimed.notification.id,
                    "csm.notification.status": attempted.verdict.status,
                    "csm.attempt.number": job.claimed.attempt,
                    "csm.attempt.outcome": attempted.verdict.outcome,
                }
            )
            return attempted

    async def _attempt(self, job: Job) -> Attempted:
        claimed, notification, policy = job.claimed, job.claimed.notification, self._policy
        now = self._clock.now()
        if (too_late := before_sending(notification, claimed.tries, now, policy.retries)) is not None:
            return Attempted(job, None, too_late)
        wanted = resolve(notification, job.contacts)
        held = while_unknown(wanted, notification, claimed.received_at, now, policy.directory_grace)
        if held is not None:
            return Attempted(job, wanted, held)
        decision = resolve(notification, job.contacts, policy.team_inbox)
        if decision.recipient is None:
            return Attempted(job, decision, nothing_sent(Status.UNDELIVERABLE, decision.why))
        try:
            words = self._renderer.render(notification.template, brief(notification, now))
        except TemplateError as error:
            return Attempted(job, decision, nothing_sent(Status.FAILED, str(error)))
        channel = self._channels[notification.channel]
        answer = await channel.send(notification, decision.recipient, words, now)
        return Attempted(job, decision, self._verdict(answer, claimed))

    def _verdict(self, answer: Answer, claimed: Claimed) -> Verdict:
        return after_answer(
            answer,
            claimed.notification,
            claimed.tries,
            self._clock.now(),
            self._policy.retries,
            self._chance(),
        )

    async def record(self, work: Work, attempted: Attempted) -> bool:
        """Write the outcome down and tell the product of a final one. False where the lease had gone to somebody else."""
        now = self._clock.now()
        claimed, verdict = attempted.job.claimed, attempted.verdict
        ours = await work.notifications.record(claimed, attempted.decision, verdict, now)
        if ours and verdict.status.final:
            await work.facts.outreach_changed(claimed.notification, verdict.status, now)
        return ours
