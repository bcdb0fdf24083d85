"""The settings of what comes back: off unless set, and refused where people could not reach them."""

import pytest
from pydantic import ValidationError

from notifier.settings import NotifierSettings, SmtpSettings


def test_without_settings_nothing_comes_back_and_nobody_is_watched() -> None:
    plain, smtp = NotifierSettings(), SmtpSettings(host="localhost", sender="team@vendor.example")
    assert (plain.public_url, plain.tracking, plain.categories, smtp.bounce_address) == (
        None,
        False,
        {},
        None,
    )


@pytest.mark.parametrize(
    "url", ["https://mail.example.com", "https://mail.example.com:8443/csm/", "http://127.0.0.1:80"]
)
def test_a_public_address_has_a_host_and_perhaps_a_path(url: str) -> None:
    assert NotifierSettings(public_url=url).public_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "ftp://mail.example.com",
        "https://",
        "https://x@mail.example.com",
        "https://mail.example.com?a=1",
        "https://mail.example.com#a",
        "https://mail. example.com",
        "https://mäil.example.com",
    ],
)
def test_any_other_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ValidationError, match="such as https"):
        NotifierSettings(public_url=url)


def test_titles_are_in_languages_that_the_pages_speak() -> None:
    assert NotifierSettings(categories={"news": {"en": "News"}}).categories == {"news": {"en": "News"}}
    with pytest.raises(ValidationError, match="categories"):
        NotifierSettings.model_validate({"categories": {"news": {"fr": "Actualités"}}})


def test_the_mailbox_is_one_plain_address() -> None:
    with pytest.raises(ValidationError, match="no email address"):
        SmtpSettings(
            host="localhost", sender="team@vendor.example", bounce_address="Bounces <b@mail.example.com>"
        )
