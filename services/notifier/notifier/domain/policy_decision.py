"""The word of the contact policy on one message: refusals first, then what holds it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from notifier.domain.caps import Cap, in_words
from notifier.domain.digest import DIGEST
from notifier.domain.notification import Notification
from notifier.domain.policy import ClassRules, Contacted, ContactPolicy, Reason, Ruling, Suppression
from notifier.domain.recipients import Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of the recipient and the account at the moment of the decision.

    `to_person` and `about_account` are those that may count: one of the same notification is its reservation.
    """

    suppressions: Sequence[Suppression] = ()
    to_person: Sequence[Contacted] = ()
    about_account: Sequence[Contacted] = ()
    digest_due: bool = False


def decide(
    policy: ContactPolicy, notification: Notification, recipient: Recipient, standing: Standing, now: datetime
) -> Ruling:
    """The word on a message now. Refusals come before holds, and a digest, quiet hours and caps hold in this order.

    What is no one person has no consent, no time and no attention of its own: only the account's caps count.
    """
    if recipient.person:
        refusal = refused(policy, notification, recipient, standing.suppressions)
        if refusal is not None:
            return refusal
        digest = _for_digest(policy, notification, recipient, standing, now)
        if digest is not None:
            return digest
    quiet = _by_quiet_hours(policy, notification, recipient, now)
    if quiet.word != "send":
        return quiet
    return _by_caps(policy, notification, recipient, standing, now) or quiet


def refused(
    policy: ContactPolicy,
    notification: Notification,
    recipient: Recipient,
    suppressions: Sequence[Suppression],
) -> Ruling | None:
    """The ruling that a person is not to be written to; None where nothing speaks against it. Of a digest, each item counts."""
    for category, rules in _told(policy, notification):
        categories = {None, category, *([DIGEST] if _digested(policy, notification) else [])}
        meant = [each for each in suppressions if each.category in categories]
        ruling = _suppressed(meant, rules) or _without_consent(category, rules, recipient)
        if ruling is not None:
            return ruling
    return None


def _told(policy: ContactPolicy, notification: Notification) -> list[tuple[str, ClassRules]]:
    own = (notification.category, policy.rules(notification))
    if notification.kind != DIGEST:
        return [own]
    items = notification.context.get("items", ())
    return [(each["category"], policy.class_rules(each["message_class"])) for each in items] or [own]


def _digested(policy: ContactPolicy, notification: Notification) -> bool:
    return notification.kind == DIGEST or policy.digest_time(notification) is not None


_SAID: Mapping[Reason, str] = {
    "hard_bounce": "the address takes no mail: it bounced for good",
    "complaint": "the person complained about a message",
    "manual": "an operator has excluded the person",
    "unsubscribed": "the person has unsubscribed",
}


def _suppressed(suppressions: Sequence[Suppression], rules: ClassRules) -> Ruling | None:
    for reason, said in _SAID.items():
        found = next((each for each in suppressions if each.reason == reason), None)
        if found is not None and (reason != "unsubscribed" or rules.unsubscriptions):
            of = "" if found.category is None else f" of {found.category}"
            told = f"{said}{of} on {found.since:%Y-%m-%d}"
            return Ruling(word="suppress", rule=reason, reason=told)
    return None


def _without_consent(category: str, rules: ClassRules, recipient: Recipient) -> Ruling | None:
    said = recipient.consents.get(category)
    if rules.consent == "opt_out" and said is False:
        return Ruling(word="suppress", rule="consent", reason=f"the contact said no to {category}")
    if rules.consent == "opt_in" and said is not True:
        told = "said no to" if said is False else "has not said yes to"
        return Ruling(word="suppress", rule="consent", reason=f"the contact {told} {category}")
    return None


def digest_instant(
    policy: ContactPolicy, notification: Notification, recipient: Recipient
) -> datetime | None:
    """The first digest after the message was asked for, which is the one it stands in; None where it goes by itself.

    That is so, too, where it would expire before its digest, and where it wants no delay: a digest is a courtesy.
    """
    wanted = policy.digest_time(notification)
    if wanted is None or notification.if_held == "drop" or not recipient.person:
        return None
    instant = wanted.next_after(notification.requested_at, policy.zone_of(notification, recipient))
    expires = notification.expires_at
    return None if expires is not None and expires <= instant else instant


def _for_digest(
    policy: ContactPolicy, notification: Notification, recipient: Recipient, standing: Standing, now: datetime
) -> Ruling | None:
    if standing.digest_due:
        return None
    instant = digest_instant(policy, notification, recipient)
    if instant is None or instant <= now:
        return None
    told = f"told in the digest of {_moment(instant)}"
    return Ruling(word="hold", rule="digest", reason=told, until=instant)


def _by_quiet_hours(
    policy: ContactPolicy, notification: Notification, recipient: Recipient, now: datetime
) -> Ruling:
    if policy.quiet_hours is None or not recipient.person or not policy.rules(notification).quiet_hours:
        return _nothing_against(None)
    zone = policy.zone_of(notification, recipient)
    opening = policy.quiet_hours.opening(now, zone)
    if opening.begin <= now:
        return _nothing_against(opening.end)
    told = f"quiet hours in {zone.key} end on {_moment(opening.begin)}"
    if notification.if_held == "drop":
        return Ruling(word="drop", rule="quiet_hours", reason=f"{told}, and the message wants no delay")
    return Ruling(word="hold", rule="quiet_hours", reason=told, until=opening.begin)


def _nothing_against(valid_until: datetime | None) -> Ruling:
    return Ruling(word="send", rule="none", reason="nothing speaks against it", valid_until=valid_until)


def _by_caps(
    policy: ContactPolicy, notification: Notification, recipient: Recipient, standing: Standing, now: datetime
) -> Ruling | None:
    persons = policy.caps_of(notification, "person") if recipient.person else ()
    found = [_full(each, notification, standing.to_person, now) for each in persons]
    found += [
        _full(each, notification, standing.about_account, now)
        for each in policy.caps_of(notification, "account")
    ]
    rulings = [each for each in found if each is not None]
    never = [each for each in rulings if each.until is None]
    return never[0] if never else max(rulings, key=lambda each: each.until or now, default=None)


def _full(cap: Cap, notification: Notification, history: Sequence[Contacted], now: datetime) -> Ruling | None:
    """The ruling of a cap without room. A reservation that still counts is room: whoever came later has reckoned with it."""
    if cap.counted((each for each in history if each.notification_id == notification.id), now):
        return None
    others = [each for each in history if each.notification_id != notification.id]
    room_at = cap.room_at(others, notification.priority, now)
    if room_at is not None and room_at <= now:
        return None
    told = _how_full(cap, notification, others, now)
    if room_at is None:
        return Ruling(word="cap", rule=cap.name, reason=f"{told}; there is never room for this priority")
    told = f"{told}; room again on {_moment(room_at)}"
    if notification.if_held == "drop":
        return Ruling(word="cap", rule=cap.name, reason=f"{told}, and the message wants no delay")
    return Ruling(word="hold", rule=cap.name, reason=told, until=room_at)


def _how_full(cap: Cap, notification: Notification, others: Sequence[Contacted], now: datetime) -> str:
    told = f"{cap.counted(others, now)} of {cap.limit} messages within {in_words(cap.within)}"
    to = "to this person" if cap.per == "person" else "about this account"
    kept = cap.reserved
    if kept is None or notification.priority >= kept.priority:
        return f"{told} {to}"
    return f"{told} {to}, {kept.slots} of them kept for priority {kept.priority} and more"


def _moment(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
