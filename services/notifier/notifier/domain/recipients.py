"""Whom a notification goes to: the first of its wanted recipients that its channel can reach, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from notifier.domain.addresses import is_address
from notifier.domain.notification import Notification, Wanted

OWNER_ROLE = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person of one account, as far as sending needs to know. `consents` are by category: yes, no, or absent."""

    contact_id: str
    name: str | None = None
    email: str | None = None
    chat_handle: str | None = None
    role: str | None = None
    timezone: str | None = None
    locale: str | None = None
    active: bool = True
    consents: Mapping[str, bool] = field(default_factory=dict)


RecipientKind = Literal["contact", "owner_address", "team", "team_inbox", "endpoint"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where the message goes: to a contact, to the address an account names as its owner, to the account's team, to the inbox
    of all teams, or to an endpoint. `address` is what the channel needs: a mail address, a chat handle, an endpoint's name."""

    kind: RecipientKind
    address: str
    contact_id: str | None = None
    name: str | None = None
    locale: str | None = None
    timezone: str | None = None
    consents: Mapping[str, bool] = field(default_factory=dict)

    @property
    def person(self) -> bool:
        """Whether it is one person, whose consent, time and attention count."""
        return self.kind in ("contact", "owner_address")


@dataclass(frozen=True, slots=True)
class Decision:
    """The recipient, or None where nobody can be reached; `why` is a sentence without addresses, fit to be stored."""

    recipient: Recipient | None
    why: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a channel can reach: a contact by `address_of` (None where it cannot), teams and endpoints by the names operators
    gave."""

    address_of: Callable[[Contact], str | None]
    teams: Mapping[str, str] = field(default_factory=dict)
    endpoints: frozenset[str] = frozenset()


def mail_address(contact: Contact) -> str | None:
    """The contact's mail address, where it is one."""
    return contact.email if is_address(contact.email) else None


def no_address(_: Contact) -> None:
    """For channels that reach no persons."""


def chat_handle(contact: Contact) -> str | None:
    """The contact's name in the chat."""
    return contact.chat_handle or None


BY_MAIL = Reach(mail_address)


def resolve(
    notification: Notification,
    contacts: Sequence[Contact],
    reach: Reach = BY_MAIL,
    team_inbox: str | None = None,
) -> Decision:
    """Decide. Inactive contacts and contacts without a usable address are passed over.

    `team_inbox` stands in last, and only where our own team was to be reached: a message meant for a customer never goes to
    somebody else instead.
    """
    ordered = sorted(contacts, key=lambda each: each.contact_id)
    failures = []
    for wanted in notification.recipients:
        decision = _RESOLVERS[wanted.kind](notification, wanted, ordered, reach)
        if decision.recipient is not None:
            return decision
        failures.append(decision.why)
    why = "; ".join(failures) or "the request names no recipient"
    if team_inbox is not None and _is_for_the_team(notification):
        return Decision(Recipient("team_inbox", team_inbox), f"{why}; so the team inbox stands in")
    return Decision(None, why)


def _is_for_the_team(notification: Notification) -> bool:
    wants_us = any(each.kind in ("owner", "team") for each in notification.recipients)
    return wants_us or notification.message_class == "internal"


def _of_account(notification: Notification, name: str) -> str | None:
    account = notification.context.get("account")
    value = account.get(name) if isinstance(account, dict) else None
    return value if isinstance(value, str) and value else None


def _owner(notification: Notification, _: Wanted, contacts: Sequence[Contact], reach: Reach) -> Decision:
    owner = _of_account(notification, "owner")
    by_id = _first_reachable(contacts, reach, lambda each: each.contact_id == owner)
    if by_id is not None:
        return Decision(by_id, f"owner: the account names contact {by_id.contact_id} as its owner")
    by_role = _first_reachable(contacts, reach, lambda each: _same(each.role, OWNER_ROLE))
    if by_role is not None:
        return Decision(by_role, f"owner: contact {by_role.contact_id} has the role {OWNER_ROLE}")
    if owner is None:
        return Decision(None, "owner: the account names no owner and has no active contact with that role")
    if reach.address_of is mail_address and is_address(owner) and not _has_left(owner, contacts):
        return Decision(Recipient("owner_address", owner), "owner: the account gives its owner as an address")
    return Decision(None, "owner: the account's owner is no active contact with an address")


def _team(notification: Notification, _: Wanted, contacts: Sequence[Contact], reach: Reach) -> Decision:
    team = _of_account(notification, "team")
    if team is None:
        return Decision(None, "team: the account names no team")
    address = reach.teams.get(team)
    if address is None:
        return Decision(None, f"team: no address of the team {team} is set for this channel")
    return Decision(Recipient("team", address, name=team), f"team: the account names the team {team}")


def _endpoint(_: Notification, wanted: Wanted, contacts: Sequence[Contact], reach: Reach) -> Decision:
    if wanted.value is None or wanted.value not in reach.endpoints:
        return Decision(None, f"endpoint {wanted.value}: no endpoint of that name is set for this channel")
    return Decision(Recipient("endpoint", wanted.value), f"endpoint {wanted.value}: as the request asks")


def _role(_: Notification, wanted: Wanted, contacts: Sequence[Contact], reach: Reach) -> Decision:
    found = _first_reachable(contacts, reach, lambda each: _same(each.role, wanted.value))
    if found is None:
        return Decision(None, f"role {wanted.value}: no active contact with an address")
    return Decision(found, f"role {wanted.value}: contact {found.contact_id}")


def _contact(_: Notification, wanted: Wanted, contacts: Sequence[Contact], reach: Reach) -> Decision:
    found = _first_reachable(contacts, reach, lambda each: each.contact_id == wanted.value)
    if found is None:
        return Decision(None, f"contact {wanted.value}: unknown, inactive or without an address")
    return Decision(found, f"contact {wanted.value}: as the request asks")


_RESOLVERS: dict[str, Callable[[Notification, Wanted, Sequence[Contact], Reach], Decision]] = {
    "owner": _owner,
    "team": _team,
    "role": _role,
    "contact": _contact,
    "endpoint": _endpoint,
}


def _first_reachable(
    contacts: Sequence[Contact], reach: Reach, fits: Callable[[Contact], bool]
) -> Recipient | None:
    for each in contacts:
        if each.active and fits(each) and (address := reach.address_of(each)) is not None:
            return Recipient(
                "contact", address, each.contact_id, each.name, each.locale, each.timezone, each.consents
            )
    return None


def _has_left(address: str, contacts: Sequence[Contact]) -> bool:
    return any(_same(each.email, address) and not each.active for each in contacts)


def _same(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one.casefold() == other.casefold()
