"""Whom a notification goes to: the first of its wanted recipients that the account's contacts can resolve, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from notifier.domain.addresses import is_address
from notifier.domain.notification import Notification, Wanted

OWNER_ROLE = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person of one account, as far as sending needs to know."""

    contact_id: str
    name: str | None = None
    email: str | None = None
    role: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where the message goes: to a contact, to the address an account names as its owner, or to the team."""

    kind: Literal["contact", "owner_address", "team_inbox"]
    address: str
    contact_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The recipient, or None where nobody can be reached; `why` is a sentence without addresses, fit to be stored."""

    recipient: Recipient | None
    why: str


def resolve(
    notification: Notification, contacts: Sequence[Contact], team_inbox: str | None = None
) -> Decision:
    """Decide. Inactive contacts and contacts without a usable address are passed over.

    `team_inbox` stands in last, and only where our own team was to be reached: a message meant for a customer never goes to
    somebody else instead.
    """
    ordered = sorted(contacts, key=lambda each: each.contact_id)
    failures = []
    for wanted in notification.recipients:
        decision = _RESOLVERS[wanted.kind](notification, wanted, ordered)
        if decision.recipient is not None:
            return decision
        failures.append(decision.why)
    why = "; ".join(failures) or "the request names no recipient"
    if team_inbox is not None and _is_for_the_team(notification):
        return Decision(Recipient("team_inbox", team_inbox), f"{why}; so the team inbox stands in")
    return Decision(None, why)


def _is_for_the_team(notification: Notification) -> bool:
    wants_owner = any(each.kind == "owner" for each in notification.recipients)
    return wants_owner or notification.message_class == "internal"


def _owner(notification: Notification, _: Wanted, contacts: Sequence[Contact]) -> Decision:
    account = notification.context.get("account")
    owner = account.get("owner") if isinstance(account, dict) else None
    by_id = _first_reachable(contacts, lambda each: each.contact_id == owner)
    if by_id is not None:
        return Decision(by_id, f"owner: the account names contact {by_id.contact_id} as its owner")
    by_role = _first_reachable(contacts, lambda each: _same(each.role, OWNER_ROLE))
    if by_role is not None:
        return Decision(by_role, f"owner: contact {by_role.contact_id} has the role {OWNER_ROLE}")
    if isinstance(owner, str) and is_address(owner) and not _has_left(owner, contacts):
        return Decision(Recipient("owner_address", owner), "owner: the account gives its owner as an address")
    if not owner:
        return Decision(None, "owner: the account names no owner and has no active contact with that role")
    return Decision(None, "owner: the account's owner is no active contact with an address")


def _role(_: Notification, wanted: Wanted, contacts: Sequence[Contact]) -> Decision:
    found = _first_reachable(contacts, lambda each: _same(each.role, wanted.value))
    if found is None:
        return Decision(None, f"role {wanted.value}: no active contact with an address")
    return Decision(found, f"role {wanted.value}: contact {found.contact_id}")


def _contact(_: Notification, wanted: Wanted, contacts: Sequence[Contact]) -> Decision:
    found = _first_reachable(contacts, lambda each: each.contact_id == wanted.value)
    if found is None:
        return Decision(None, f"contact {wanted.value}: unknown, inactive or without an address")
    return Decision(found, f"contact {wanted.value}: as the request asks")


_RESOLVERS: dict[str, Callable[[Notification, Wanted, Sequence[Contact]], Decision]] = {
    "owner": _owner,
    "role": _role,
    "contact": _contact,
}


def _first_reachable(contacts: Sequence[Contact], fits: Callable[[Contact], bool]) -> Recipient | None:
    for each in contacts:
        if each.active and fits(each) and each.email is not None and is_address(each.email):
            return Recipient("contact", each.email, each.contact_id, each.name)
    return None


def _has_left(address: str, contacts: Sequence[Contact]) -> bool:
    return any(_same(each.email, address) and not each.active for each in contacts)


def _same(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one.casefold() == other.casefold()
