"""Folding: what waited for a person's digest is told in one message, which goes on as a notification of its own."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from csm_common.ids import derived_id
from notifier.application.handlers.ruling import Case
from notifier.application.ports import Settled, Work
from notifier.domain.delivery import Verdict
from notifier.domain.digest import DIGEST, digest_of, with_more
from notifier.domain.notification import Notification, Status
from notifier.domain.policy import ContactPolicy
from notifier.domain.policy_decision import digest_instant, refused


@dataclass(frozen=True, slots=True)
class _Group:
    """The messages of one digest: for one person on one channel, `id` derived from both and the instant it is due."""

    id: str
    person: str
    cases: Sequence[Case]

    @property
    def items(self) -> list[Notification]:
        return [each.notification for each in self.cases]


async def fold(work: Work, due: Sequence[Case], policy: ContactPolicy, now: datetime) -> Sequence[Settled]:
    """Those that are told in a digest now; all others go on as themselves: one alone, and what the person wants no more.

    A digest that another sender has just made of the same person's messages takes ours in, too, unless it is on its way.
    """
    groups = _groups(await _wanted(work, due, policy), policy, now)
    await work.digests.lock({each.person for each in groups})
    known = await work.digests.known({each.id for each in groups})
    extended, made, folded = [], [], []
    for group in groups:
        digest = known.get(group.id)
        if digest is not None:
            extended.append(with_more(digest, group.items))
            folded += _folded(group, digest.id)
        elif len(group.cases) > 1:
            made.append(_made(group, now, again=group.id in known))
            folded += _folded(group, made[-1].id)
    await work.digests.extend(extended)
    await work.notifications.add(made, now)
    return folded


async def _wanted(work: Work, due: Sequence[Case], policy: ContactPolicy) -> list[Case]:
    suppressions = await work.suppressions.of({each.person for each in due if each.person is not None})
    return [
        each
        for each in due
        if each.person is not None
        and not refused(policy, each.notification, each.recipient, suppressions.get(each.person, ()))
    ]


def _groups(cases: Sequence[Case], policy: ContactPolicy, now: datetime) -> list[_Group]:
    found = defaultdict(list)
    for each in cases:
        found[each.person or "", each.notification.channel].append(each)
    return [
        _Group(_digest_id(person, channel, these, policy, now), person, these)
        for (person, channel), these in sorted(found.items())
    ]


def _digest_id(person: str, channel: str, cases: Sequence[Case], policy: ContactPolicy, now: datetime) -> str:
    instants = (digest_instant(policy, each.notification, each.recipient) for each in cases)
    return derived_id(DIGEST, person, channel, max((each for each in instants if each), default=now))


def _made(group: _Group, now: datetime, *, again: bool) -> Notification:
    """A second digest of the same instant, where the first is on its way, has its id of what it is made of."""
    ids = sorted(each.id for each in group.items)
    name = derived_id(DIGEST, group.id, ids[0]) if again else group.id
    return digest_of(name, group.items, group.cases[0].recipient, now)


def _folded(group: _Group, into: str) -> list[Settled]:
    verdict = Verdict(status=Status.FOLDED, reason=f"told in the digest {into}")
    return [
        Settled(notification=each.notification, verdict=verdict, person=each.person, folded_into=into)
        for each in group.cases
    ]
