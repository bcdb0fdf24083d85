"""Mistakes in URLs that are told before anything is sent."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csm_common.errors import InvalidError
from notifier.adapters.outbound import check_url
from notifier.domain.public_addresses import AddressRules, literal

RULES = AddressRules.parse(["10.1.0.0/16", "fd00::/8"], ["hooks.internal"])


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://hooks.example.com", "hooks.example.com", "/"),
        ("HTTPS://Hooks.Example.com:8443/a?b=c", "hooks.example.com", "/a?b=c"),
        ("https://1.1.1.1/x", "1.1.1.1", "/x"),
        ("https://[2606:4700::1111]:444/x", "2606:4700::1111", "/x"),
        ("https://bücher.example/x", "xn--bcher-kva.example", "/x"),
        ("https://10.1.2.3/", "10.1.2.3", "/"),
        ("http://hooks.internal:8080/x", "hooks.internal", "/x"),
        ("http://10.1.2.3/x", "10.1.2.3", "/x"),
        ("http://[fd00::5]/x", "fd00::5", "/x"),
        ("https://a.example/?x=http://user@127.0.0.1/", "a.example", "/?x=http://user@127.0.0.1/"),
    ],
)
def test_what_may_be_posted_to(url: str, host: str, path: str) -> None:
    target = check_url(url, RULES)
    assert (target.raw_host.decode(), target.raw_path.decode()) == (host, path)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "begins with https"),
        ("hooks.example.com/TOKEN", "begins with https"),
        ("//hooks.example.com/TOKEN", "begins with https"),
        ("https:///TOKEN", "begins with https"),
        ("ftp://a.example/TOKEN", "begins with https"),
        ("file:///etc/TOKEN", "begins with https"),
        ("gopher://a.example/TOKEN", "begins with https"),
        ("https://a.example:99999/TOKEN", "1 to 65535"),
        ("https://a.example:0/TOKEN", "1 to 65535"),
        ("https://a.example:port/TOKEN", "no URL"),
        ("https://a b.example/TOKEN", "usual form"),
        ("https://a\\b.example/TOKEN", "usual form"),
        ("https://a.example\\@10.0.0.1/TOKEN", "user name or password"),
        ("https://a.example/\r\nTOKEN", "no URL"),
        ("https://[::1/TOKEN", "no URL"),
        ("https://" + "a" * 70000 + "/TOKEN", "no URL"),
        ("http://a.example/TOKEN", "only https"),
        ("http://1.1.1.1/TOKEN", "only https"),
        ("https://user@a.example/TOKEN", "user name or password"),
        ("https://user:TOKEN@a.example/", "user name or password"),
        ("https://1.1.1.1@10.0.0.1/TOKEN", "user name or password"),
        ("https://127.0.0.1/TOKEN", "not public"),
        ("https://[::1]/TOKEN", "not public"),
        ("https://[::ffff:10.1.2.3]/TOKEN", "not public"),
        ("https://169.254.169.254/latest/TOKEN", "not public"),
        ("http://10.2.0.1/TOKEN", "not public"),
        ("https://2130706433/TOKEN", "usual form"),
        ("https://0x7f.1/TOKEN", "usual form"),
        ("https://0177.0.0.1/TOKEN", "no URL"),
        ("https://127.1/TOKEN", "usual form"),
        ("https://127.0.0.1./TOKEN", "usual form"),
        ("https://１２７.0.0.1/TOKEN", "no URL"),
        ("https://127。0。0。1/TOKEN", "not public|no URL|usual form"),
        ("https://[fe80::1%25eth0]/TOKEN", "usual form|no URL"),
        ("https://[fe80::1%eth0]/TOKEN", "usual form|no URL"),
    ],
    ids=range(35),
)
def test_mistakes_are_told_in_a_sentence_that_keeps_the_secret(url: str, sentence: str) -> None:
    with pytest.raises(InvalidError, match=sentence) as told:
        check_url(url, RULES)
    assert "TOKEN" not in told.value.message


PARTS = [
    "http",
    "https",
    "://",
    ":",
    "/",
    "\\\\",
    "@",
    "%",
    "%25",
    "[",
    "]",
    "#",
    "?",
    ".",
    "。",
    "a",
    "0x7f",
    "127.0.0.1",
    "::1",
    "1",
    "é",
    "\ud800",
]


@given(st.text() | st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_no_text_is_more_than_a_mistake_and_what_is_none_leads_to_a_name_or_an_allowed_address(
    text: str,
) -> None:
    for url in (text, f"https://{text}", f"http://hooks.internal{text}"):
        try:
            host = check_url(url, RULES).raw_host.decode()
        except InvalidError:
            continue
        address = literal(host)
        assert RULES.allow(host, address) if address is not None else re.fullmatch(r"[a-z0-9._-]+", host)
