"""The parts of the notifier, opened and put together; app.py runs them."""

import os
import random
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.clock import Clock
from csm_common.poller import Poller
from notifier.adapters.channels.all import channels_of, tls_of
from notifier.adapters.dead_letters import dead_letters_on
from notifier.adapters.feed.conditions import check_condition
from notifier.adapters.feed.posting import SignedPost
from notifier.adapters.feed.pruning import FeedPruning
from notifier.adapters.feed.subscriptions import SubscriptionCache
from notifier.adapters.feed.work import feed_on
from notifier.adapters.gauges import Gauges
from notifier.adapters.outbound import Outbound
from notifier.adapters.outcomes import OutcomeParts, outcome_parts
from notifier.adapters.persons import load_person_of
from notifier.adapters.policy_file import load_policy
from notifier.adapters.pruning import NotificationPruning
from notifier.adapters.smtp_connections import SmtpConnections
from notifier.adapters.templates.document import template_schema
from notifier.adapters.templates.parts import TemplateParts
from notifier.adapters.work import work_on
from notifier.application.feed_delivery import FeedDelivery
from notifier.application.feed_desk import FeedDesk
from notifier.application.feed_ports import AttemptedDelivery, BegunDelivery, Feed
from notifier.application.handlers.claiming import Job
from notifier.application.handlers.delivery import Delivery
from notifier.application.lanes import Lanes
from notifier.application.ports import Attempted, Channel, PersonOf, Work
from notifier.domain.breakers import BreakerRules
from notifier.domain.policy import ContactPolicy
from notifier.entrypoints.api import notification_routes
from notifier.entrypoints.dead_letters_api import dead_letter_routes
from notifier.entrypoints.mails_api import mail_routes
from notifier.entrypoints.pollers import Sender
from notifier.entrypoints.public_pages import public_routes
from notifier.entrypoints.subscriptions_api import subscription_routes
from notifier.entrypoints.suppressions_api import suppression_routes
from notifier.entrypoints.templates_api import template_routes
from notifier.entrypoints.why_api import why_routes
from notifier.settings import Settings

_TRIM_S, _PRUNE_S, _WATCH_S = 5.0, 3600.0, 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is opened once and shared."""

    settings: Settings
    engine: AsyncEngine
    clock: Clock
    owner: str
    policy: ContactPolicy
    person_of: PersonOf
    outbound: Outbound
    channels: Mapping[str, Channel]
    templates: TemplateParts
    outcomes: OutcomeParts
    subscriptions: SubscriptionCache
    lanes: Lanes


@asynccontextmanager
async def opened(settings: Settings, engine: AsyncEngine, clock: Clock) -> AsyncIterator[Parts]:
    """All of them; closed at the end."""
    smtp = SmtpConnections(settings.smtp)
    outbound = Outbound(
        settings.notifier.addresses,
        tls=tls_of(settings.notifier),
        timeout_s=settings.notifier.http_timeout_s,
        clock=clock,
    )
    channels = channels_of(settings, outbound, smtp)
    templates = TemplateParts(engine, clock, work_on(engine), channels)
    try:
        await templates.start()
        yield Parts(
            settings=settings,
            engine=engine,
            clock=clock,
            owner=f"{socket.gethostname()}/{os.getpid()}",
            policy=load_policy(settings.notifier.policy_file),
            person_of=await load_person_of(engine),
            outbound=outbound,
            channels=channels,
            templates=templates,
            outcomes=await outcome_parts(settings, engine, clock),
            subscriptions=SubscriptionCache(),
            lanes=Lanes(BreakerRules()),
        )
    finally:
        templates.close()
        smtp.close()
        await outbound.close()


def notification_sender(parts: Parts, on_commit: Callable[[], None]) -> Sender[Work, Job, Attempted]:
    """Sends what playbooks ask for."""
    settings = parts.settings.notifier
    rules = settings.rules(parts.policy)
    delivery = Delivery(
        parts.templates.renderer,
        parts.outcomes.linker,
        parts.channels,
        rules,
        parts.lanes,
        parts.person_of,
        parts.clock,
        parts.owner,
        random.random,
    )
    return Sender(
        delivery,
        work_on(parts.engine),
        lambda: _abandon(parts),
        parts.clock,
        concurrency=settings.concurrency,
        interval_s=settings.interval_s,
        lease=rules.lease,
        grace=_grace(parts),
        on_commit=on_commit,
    )


def feed_sender(parts: Parts) -> Sender[Feed, BegunDelivery, AttemptedDelivery]:
    """Tells subscribers."""
    settings = parts.settings.notifier.feed
    post = SignedPost(parts.outbound)
    delivery = FeedDelivery(
        post, settings.rules, Lanes(BreakerRules()), parts.clock, parts.owner, random.random
    )
    return Sender(
        delivery,
        feed_on(parts.engine, parts.subscriptions),
        lambda: _abandon(parts),
        parts.clock,
        name="feed",
        concurrency=settings.concurrency,
        interval_s=settings.interval_s,
        lease=settings.rules.lease,
        grace=_grace(parts),
    )


def pruner(parts: Parts) -> Poller:
    """What ended long ago."""
    caps = (each.within for each in parts.policy.caps)
    pruning = NotificationPruning(
        parts.engine,
        kept=parts.settings.notifier.kept_time,
        longest_cap=max(caps, default=timedelta(0)),
    )
    return Poller("pruning", lambda: pruning.prune(parts.clock.now()), interval_s=_PRUNE_S)


def watcher(parts: Parts) -> Poller:
    """What an operator watches."""
    gauges = Gauges(parts.engine, parts.lanes.resting)
    return Poller("gauges", lambda: gauges.show(parts.clock.now()), interval_s=_WATCH_S)


def feed_pruners(parts: Parts) -> Sequence[Poller]:
    """What waits for too long, and what ended long ago."""
    settings, now = parts.settings.notifier.feed, parts.clock.now
    pruning = FeedPruning(
        parts.engine,
        kept=settings.kept_time,
        failed_kept=settings.failed_kept_time,
        backlog=settings.backlog,
    )
    return (
        Poller("feed-trim", lambda: pruning.trim(now()), interval_s=_TRIM_S),
        Poller("feed-prune", lambda: pruning.prune(now()), interval_s=_PRUNE_S),
    )


def routes(
    parts: Parts, *, told: Callable[[], None], due: Callable[[], None], feed_work: Callable[[], None]
) -> Sequence[APIRouter]:
    """All doors. `told` is called when facts are committed, `due` when there may be something to send, `feed_work` to tell
    subscribers."""
    open_work, outcomes = work_on(parts.engine), parts.outcomes
    return [
        notification_routes(open_work),
        why_routes(open_work),
        dead_letter_routes(dead_letters_on(parts.engine), open_work, parts.clock, due),
        suppression_routes(open_work, parts.person_of, parts.clock),
        mail_routes(open_work, outcomes.mails, parts.clock, told),
        subscription_routes(_feed_desk(parts, feed_work)),
        template_routes(parts.templates.templating, parts.templates.tests, template_schema()),
        public_routes(open_work, outcomes.tokens, outcomes.pages, parts.clock, told),
    ]


def _feed_desk(parts: Parts, on_work: Callable[[], None]) -> FeedDesk:
    settings, post = parts.settings.notifier.feed, SignedPost(parts.outbound)
    return FeedDesk(
        feed_on(parts.engine, parts.subscriptions),
        post,
        parts.clock,
        check_url=post.check,
        check_condition=check_condition,
        overlap=settings.overlap_time,
        replay_per_s=settings.replay_per_s,
        on_work=on_work,
    )


def _abandon(parts: Parts) -> None:
    for each in parts.channels.values():
        each.abandon()
    parts.outbound.abandon()


def _grace(parts: Parts) -> timedelta:
    return timedelta(seconds=parts.settings.drain_timeout_s / 2)
