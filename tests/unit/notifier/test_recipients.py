"""Whom a notification goes to."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.notifier.builders import KIM, OWNER, a_notification

from notifier.domain.notification import Notification, Wanted
from notifier.domain.recipients import Contact, Recipient, resolve

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
    decision = resolve(owned_by("sam@vendor.example"), [LEE], TEAM)
    assert decision.recipient == Recipient("owner_address", "sam@vendor.example")
    assert "sam@" not in decision.why


def test_the_address_of_an_owner_who_has_left_is_not_used() -> None:
    left = Contact(contact_id="sam", email="Sam@vendor.example", active=False)
    decision = resolve(owned_by("sam@vendor.example"), [left], TEAM)
    assert decision.recipient == Recipient("team_inbox", TEAM)


@pytest.mark.parametrize("context", [{}, {"account": None}, {"account": {"owner": "nobody known"}}])
def test_else_the_team_inbox_stands_in(context: dict[str, Any]) -> None:
    decision = resolve(a_notification(context=context), [], TEAM)
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
    found = resolve(notification, [LEE, MAX], TEAM)
    assert found.recipient is not None
    assert found.recipient.contact_id == "lee"


def test_a_message_for_a_customer_goes_to_nobody_else() -> None:
    wanted = (Wanted("role", "champion"),)
    outward = a_notification(recipients=wanted, message_class="transactional")
    inward = a_notification(recipients=wanted, message_class="internal")
    assert resolve(outward, [], TEAM).recipient is None
    assert resolve(inward, [], TEAM).recipient == Recipient("team_inbox", TEAM)


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
    assert resolve(notification, [KIM], TEAM).why == "the request names no recipient"
