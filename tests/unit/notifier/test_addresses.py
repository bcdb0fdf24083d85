"""What counts as an email address."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.addresses import Mailbox, is_address


@pytest.mark.parametrize(
    "text",
    [
        "kim@vendor.example",
        "kim.park+csm@mail.vendor.example",
        "o'brien@x.example",
        "root@localhost",
        "jörg@bücher.example",
    ],
)
def test_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "kim",
        "@vendor.example",
        "kim@",
        "kim@@vendor.example",
        "Kim <kim@vendor.example>",
        "kim@vendor.example, lee@vendor.example",
        "kim park@vendor.example",
        "kim@vendor.example\n",
        "kim@vendor.example\r\nBcc: lee@vendor.example",
        "kim@vendor.example> NOTIFY=NEVER",
        "kim\x00@vendor.example",
        '"kim"@vendor.example',
        f"{'k' * 250}@x.example",
    ],
)
def test_everything_else(text: str | None) -> None:
    assert not is_address(text)


@settings(deadline=None, max_examples=50)
@given(st.text(), st.sampled_from("\r\n\t <>,;:\x00\x85\u2028"), st.text())
def test_nothing_that_could_end_an_address_is_in_one(before: str, breaking: str, after: str) -> None:
    assert not is_address(f"kim{before}{breaking}{after}@vendor.example")


@pytest.mark.parametrize("text", ["", "Customer Success", "cs@", "a@b.example, c@d.example"])
def test_a_mailbox_is_one_address(text: str) -> None:
    with pytest.raises(ValueError, match="is no mailbox"):
        Mailbox.parse(text)


def test_a_mailbox_may_have_a_name() -> None:
    mailbox = Mailbox.parse("Customer Success <cs@vendor.example>")
    assert mailbox == Mailbox("cs@vendor.example", "Customer Success")
    assert (mailbox.local_part, mailbox.domain) == ("cs", "vendor.example")


def test_a_mailbox_needs_no_name() -> None:
    assert Mailbox.parse("cs@vendor.example") == Mailbox("cs@vendor.example", "")
