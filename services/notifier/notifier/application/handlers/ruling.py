"""The contact policy at send time: rules on all messages that one transaction is about to send, and reserves what they use up.

Locks come first, in one statement; whatever is read after them is final, since everybody who decides about the same persons and
accounts waits for the commit. A message that may go is counted from then on, so that no other takes its place.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.application.ports import Work
from notifier.domain.notification import Notification
from notifier.domain.policy import Contacted, ContactPolicy, Ruling, Suppression
from notifier.domain.policy_decision import Standing, decide
from notifier.domain.recipients import Recipient


@dataclass(frozen=True, slots=True)
class Case:
    """A message and whom it would go to. `person` is the pseudonym, None where that is not one person; `digest_due` tells that it
    was held for a digest, and the digest's time has come."""

    notification: Notification
    recipient: Recipient
    person: str | None
    digest_due: bool = False


async def rule(
    work: Work, cases: Sequence[Case], policy: ContactPolicy, now: datetime
) -> Mapping[str, Ruling]:
    """The rulings by notification id. Of those that compete the most urgent are decided first, then the oldest.

    A case that is told to go is reserved in the history; call `released` once it is sure to reach nobody.
    """
    if not cases:
        return {}
    await _lock(work, cases, policy)
    known = await _Known.load(work, cases, policy, now)
    rulings = {}
    for case in sorted(cases, key=_most_urgent_first):
        ruling = decide(policy, case.notification, case.recipient, known.standing(case), now)
        rulings[case.notification.id] = ruling
        if ruling.word == "send" and policy.rules(case.notification).caps:
            known.reserve(_contacted(case, now))
    given_up = {name for name, each in rulings.items() if each.word not in ("send", "hold")}
    await work.history.add(known.reserved)
    await work.history.remove(given_up & known.ids)
    await work.decisions.add(sorted(rulings.items()), now)
    return rulings


async def reached(work: Work, cases: Sequence[Case], policy: ContactPolicy, now: datetime) -> None:
    """These went out by `now`: windows are counted from when a person was reached, not from when that was decided."""
    await work.history.add([_contacted(each, now) for each in cases if policy.rules(each.notification).caps])


async def released(work: Work, notification_ids: Collection[str]) -> None:
    """These ended without reaching anybody: what they had reserved is free. Call it after their outcomes are recorded."""
    await work.history.remove(notification_ids)


def _most_urgent_first(case: Case) -> tuple[int, datetime, str]:
    notification = case.notification
    return -notification.priority, notification.requested_at, notification.id


def _contacted(case: Case, now: datetime) -> Contacted:
    notification = case.notification
    return Contacted(
        notification_id=notification.id,
        account_id=notification.account_id,
        person=case.person,
        at=now,
        priority=notification.priority,
        category=notification.category,
        message_class=notification.message_class,
    )


async def _lock(work: Work, cases: Sequence[Case], policy: ContactPolicy) -> None:
    """Persons whose caps or unsubscriptions count: somebody who unsubscribes waits for us, or we know of it."""
    persons = {
        each.person
        for each in cases
        if each.person is not None
        and (policy.rules(each.notification).unsubscriptions or policy.caps_of(each.notification, "person"))
    }
    await work.history.lock(persons, _capped_accounts(cases, policy))


def _capped_accounts(cases: Sequence[Case], policy: ContactPolicy) -> set[str]:
    return {each.notification.account_id for each in cases if policy.caps_of(each.notification, "account")}


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the persons and accounts of all cases; grows with what is reserved."""

    suppressions: Mapping[str, Sequence[Suppression]]
    to_person: Mapping[str, dict[str, Contacted]]
    about_account: Mapping[str, dict[str, Contacted]]
    ids: set[str]
    reserved: list[Contacted]

    @classmethod
    async def load(cls, work: Work, cases: Sequence[Case], policy: ContactPolicy, now: datetime) -> "_Known":
        everybody = {each.person for each in cases if each.person is not None}
        known = cls(await work.suppressions.of(everybody), defaultdict(dict), defaultdict(dict), set(), [])
        capped = [each for each in cases if policy.rules(each.notification).caps]
        if capped and policy.caps:
            longest = max((each.within for each in policy.caps), default=timedelta())
            persons = {each.person for each in capped if each.person is not None}
            accounts = _capped_accounts(capped, policy)
            for each in await work.history.since(persons, accounts, now - longest):
                known._count(each)
        return known

    def standing(self, case: Case) -> Standing:
        return Standing(
            suppressions=self.suppressions.get(case.person or "", ()),
            to_person=tuple(self.to_person[case.person].values()) if case.person is not None else (),
            about_account=tuple(self.about_account[case.notification.account_id].values()),
            digest_due=case.digest_due,
        )

    def reserve(self, contacted: Contacted) -> None:
        self._count(contacted)
        self.reserved.append(contacted)

    def _count(self, contacted: Contacted) -> None:
        self.ids.add(contacted.notification_id)
        if contacted.person is not None:
            self.to_person[contacted.person][contacted.notification_id] = contacted
        self.about_account[contacted.account_id][contacted.notification_id] = contacted
