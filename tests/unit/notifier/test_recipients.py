"""Whom a notification goes to."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.notifier.builders import KIM, OWNER, a_notification

from notifier.domain.notification import Notification, Wanted
from notifier.domain.recipients import BY_MAIL, Contact, Reach, Recipient, chat_handle, no_address, resolve

LEE = Contact(contact_id="lee", name="Lee", email="lee@acme.example", role="champion")
MAX = Contact(contact_id="max", name="Max", email="max@acme.example", role="Champion")
TEAM = "team@vendor.example"


def owned_by(owner: Any, **changes: Any) -> Notification:
    return a_notification(context={"account": {"owner": owner}}, **changes)


def test_the_owner_is_the_contact_the_account_names() -> None:
    named = Contact(contact_id="lee", name="Lee", email="lee@vendor.example", role="manager")
    decision = resolve(owned_by("lee"), [KIM, named])
    assert decision.recipient == Recipient("contact", "lee@vendor.example", "lee", "Lee")
    assert decision.why == "owner: the account names contact lee as its owner"


@pytest.mark.parametrize("owner", [None, "somebody-else", "other@vendor.example", 7])
def test_else_it_is_the_contact_with_the_role_of_an_owner(owner: Any) -> None:
    decision = resolve(owned_by(owner), [LEE, KIM])
    assert decision.recipient == Recipient("contact", "kim@vendor.example", "kim", "Kim Park")
    assert "kim" in decision.why


def test_else_it_is_the_address_the_account_gives_as_its_owner() -> None:
    decision = resolve(owned_by("sam@vendor.example"), [LEE], team_inbox=TEAM)
    assert decision.recipient == Recipient("owner_address", "sam@vendor.example")
    assert "sam@" not in decision.why


def test_the_address_of_an_owner_who_has_left_is_not_used() -> None:
    left = Contact(contact_id="sam", email="Sam@vendor.example", active=False)
    decision = resolve(owned_by("sam@vendor.example"), [left], team_inbox=TEAM)
    assert decision.recipient == Recipient("team_inbox", TEAM)


@pytest.mark.parametrize("context", [{}, {"account": None}, {"account": {"owner": "nobody known"}}])
def test_else_the_team_inbox_stands_in(context: dict[str, Any]) -> None:
    decision = resolve(a_notification(context=context), [], team_inbox=TEAM)
    assert decision.recipient == Recipient("team_inbox", TEAM)
    assert decision.why.endswith("so the team inbox stands in")
    assert decision.why.startswith("owner: ")


def test_a_role_is_found_whatever_its_case_and_always_the_same_person() -> None:
    notification = a_notification(recipients=(Wanted("role", "champion"),))
    for contacts in ([LEE, MAX], [MAX, LEE]):
        decision = resolve(notification, contacts)
        assert decision.recipient == Recipient("contact", "lee@acme.example", "lee", "Lee")
        assert decision.why == "role champion: contact lee"


def test_inactive_contacts_and_those_without_a_usable_address_are_passed_over() -> None:
    notification = a_notification(recipients=(Wanted("role", "champion"),))
    unusable = [replace(LEE, active=False), replace(LEE, email=None), replace(LEE, email="lee@a\nBcc: x@y")]
    for each in unusable:
        assert resolve(notification, [each]).recipient is None
        found = resolve(notification, [each, MAX]).recipient
        assert found is not None
        assert found.contact_id == "max"


def test_a_contact_is_found_by_its_id() -> None:
    notification = a_notification(recipients=(Wanted("contact", "max"),))
    found = resolve(notification, [LEE, MAX])
    assert found.recipient == Recipient("contact", "max@acme.example", "max", "Max")
    assert resolve(notification, [LEE]).recipient is None


def test_the_first_wanted_recipient_that_resolves_is_taken_before_the_team_inbox() -> None:
    notification = a_notification(
        context={}, recipients=(OWNER, Wanted("role", "admin"), Wanted("contact", "lee"))
    )
    found = resolve(notification, [LEE, MAX], team_inbox=TEAM)
    assert found.recipient is not None
    assert found.recipient.contact_id == "lee"


def test_a_message_for_a_customer_goes_to_nobody_else() -> None:
    wanted = (Wanted("role", "champion"),)
    outward = a_notification(recipients=wanted, message_class="transactional")
    inward = a_notification(recipients=wanted, message_class="internal")
    assert resolve(outward, [], team_inbox=TEAM).recipient is None
    assert resolve(inward, [], team_inbox=TEAM).recipient == Recipient("team_inbox", TEAM)


def test_where_nobody_is_found_the_decision_tells_what_was_tried() -> None:
    notification = a_notification(
        context={}, recipients=(OWNER, Wanted("role", "champion"), Wanted("contact", "lee"))
    )
    decision = resolve(notification, [])
    assert decision.recipient is None
    assert decision.why == (
        "owner: the account names no owner and has no active contact with that role; "
        "role champion: no active contact with an address; "
        "contact lee: unknown, inactive or without an address"
    )


def test_a_request_for_nobody_reaches_nobody() -> None:
    notification = a_notification(recipients=(), message_class="transactional")
    assert resolve(notification, [KIM], team_inbox=TEAM).why == "the request names no recipient"


CHAT = Reach(chat_handle, {"emea": "csm-emea"}, frozenset({"csm-emea", "alerts"}))


def test_each_channel_has_its_own_address_of_a_person() -> None:
    talker = Contact(contact_id="lee", email="lee@acme.example", chat_handle="U042", role="owner")
    assert resolve(owned_by("lee"), [talker], CHAT).recipient == Recipient("contact", "U042", "lee")
    assert resolve(owned_by("lee"), [LEE], CHAT).recipient is None
    assert resolve(owned_by("lee"), [talker], Reach(no_address)).recipient is None
    assert resolve(owned_by("sam@vendor.example"), [], CHAT).recipient is None


def test_who_they_are_travels_along() -> None:
    berlin = replace(LEE, timezone="Europe/Berlin", locale="de", consents={"tips": False})
    notification = a_notification(recipients=(Wanted("contact", "lee"),))
    found = resolve(notification, [berlin]).recipient
    assert found is not None
    assert (found.timezone, found.locale, found.consents) == ("Europe/Berlin", "de", {"tips": False})
    assert found.person


def test_the_team_is_the_one_the_account_names_where_it_has_an_address() -> None:
    def about(team: str | None) -> Notification:
        return a_notification(context={"account": {"team": team}}, recipients=(Wanted("team"),))

    assert resolve(about("emea"), [], CHAT).recipient == Recipient("team", "csm-emea", name="emea")
    assert resolve(about("apac"), [], CHAT).why == "team: no address of the team apac is set for this channel"
    assert resolve(about(None), [], CHAT).why == "team: the account names no team"
    assert resolve(about("apac"), [], BY_MAIL, TEAM).recipient == Recipient("team_inbox", TEAM)


def test_an_endpoint_is_reached_by_the_name_an_operator_gave_it() -> None:
    def to(name: str) -> Notification:
        return a_notification(recipients=(Wanted("endpoint", name),), message_class="transactional")

    found = resolve(to("alerts"), [], CHAT).recipient
    assert found == Recipient("endpoint", "alerts")
    assert found is not None
    assert not found.person
    assert "no endpoint of that name" in resolve(to("other"), [], CHAT).why
