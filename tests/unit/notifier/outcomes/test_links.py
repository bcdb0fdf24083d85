"""The links of a message: for whom there are which, and how opens and clicks are marked."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import ManualClock
from tests.unit.notifier.builders import a_notification, begun
from tests.unit.notifier.outcomes.samples import ADDRESSES, ID, KEY

from notifier.adapters.links import SignedLinks
from notifier.adapters.tokens import Tokens
from notifier.application.ports import Begun, Links, Rendered
from notifier.application.responses import Claims
from notifier.domain.recipients import Recipient

PUBLIC = "https://mail.example.com/csm"
TOKENS = Tokens(KEY, ManualClock())
LINKS = SignedLinks(TOKENS, PUBLIC, ADDRESSES)
TRACKING = SignedLinks(TOKENS, PUBLIC, ADDRESSES, tracking=True)
JO = Recipient("contact", "jo@customer.example", "jo", "Jo", "de-AT")


def a_message(message_class: str = "marketing", **changes: Any) -> Begun:
    """To Jo."""
    asked = a_notification(ID, message_class=message_class, category="expansion")
    return replace(begun(asked, JO), **{"person": "ab12", **changes})


def token_of(link: str | None, part: str) -> str:
    """Of a link of ours."""
    prefix = f"{PUBLIC}/v1/{part}/"
    assert link is not None
    assert link.startswith(prefix)
    return link.removeprefix(prefix)


def test_marketing_has_all_links_and_they_name_the_person_by_ids() -> None:
    links = LINKS.links(a_message())
    said = Claims(
        notification_id=ID,
        account_id="acme",
        contact_id="jo",
        person="ab12",
        category="expansion",
        language="de",
    )
    assert TOKENS.read(token_of(links.unsubscribe, "unsubscribe"), "unsubscribe") == said
    assert TOKENS.read(token_of(links.preferences, "preferences"), "preferences") == said
    assert links.unsubscribe_mail == f"{ADDRESSES.unsubscribes(ID)}?subject=unsubscribe"
    assert links.bounces_to == ADDRESSES.bounces(ID)


def test_a_repeat_of_a_message_has_the_same_links() -> None:
    assert LINKS.links(a_message()) == LINKS.links(a_message(attempt=2))


def test_what_somebody_needs_to_know_can_be_steered_but_not_unsubscribed_from() -> None:
    links = LINKS.links(a_message("transactional"))
    assert (links.unsubscribe, links.unsubscribe_mail) == (None, None)
    assert links.preferences is not None


@pytest.mark.parametrize("message", [a_message("internal"), a_message(person=None)], ids=["team", "endpoint"])
def test_our_own_team_and_endpoints_have_no_links(message: Begun) -> None:
    assert LINKS.links(message) == Links(bounces_to=ADDRESSES.bounces(ID))
    assert TRACKING.marked(message, _words()) == _words()


def test_a_chat_message_bounces_nowhere() -> None:
    message = a_message()
    chat = replace(message, notification=replace(message.notification, channel="slack"))
    assert LINKS.links(chat).bounces_to is None


def test_without_a_public_address_and_a_mailbox_there_are_none() -> None:
    assert SignedLinks(TOKENS).links(a_message()) == Links()


def _words(
    html: str = '<body><a href="https://vendor.example/plans?a=1&amp;b=2">Plans</a></body>',
) -> Rendered:
    return Rendered(subject="Two more seats", text="https://vendor.example/plans", html=html)


def test_nothing_is_marked_unless_it_is_wanted() -> None:
    assert LINKS.marked(a_message(), _words()) == _words()


def test_links_lead_on_to_where_they_led_and_a_picture_is_at_the_end() -> None:
    marked = TRACKING.marked(a_message(), _words())
    html = marked.html or ""
    link = html.partition('href="')[2].partition('"')[0]
    assert TOKENS.read(token_of(link, "c"), "click") == Claims(
        notification_id=ID, url="https://vendor.example/plans?a=1&b=2", number=1
    )
    picture = html.partition('src="')[2].partition('"')[0]
    assert TOKENS.read(token_of(picture, "o").removesuffix(".gif"), "open") == Claims(notification_id=ID)
    assert html.endswith('alt=""></body>')
    assert marked.text == _words().text


def test_our_own_links_mail_addresses_and_anchors_stay_as_they_are() -> None:
    own = LINKS.links(a_message()).preferences
    html = f'<a href="{own}">x</a><a href="mailto:a@b.example">y</a><a href="#top">z</a><a name="q">w</a>'
    marked = TRACKING.marked(a_message(), _words(html))
    assert (marked.html or "").startswith(html)


@given(st.text(max_size=300))
def test_marking_takes_nothing_away_and_never_fails(html: str) -> None:
    marked = TRACKING.marked(a_message(), _words(html)).html or ""
    assert len(marked) > len(html)
