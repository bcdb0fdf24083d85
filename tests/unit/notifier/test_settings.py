"""The environment as an operator writes it, read from a file in its form."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from notifier.domain.policy import ContactPolicy
from notifier.settings import Settings

LEAST = {
    "CSM_DATABASE__DSN": "postgresql://notifier:pw@localhost/csm",
    "CSM_KAFKA__BOOTSTRAP": "localhost:9092",
    "CSM_SMTP__HOST": "mail.vendor.example",
    "CSM_SMTP__SENDER": "Customer Success <cs@vendor.example>",
}

Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The settings of the least environment and some more lines."""

    def read(**more: str) -> Settings:
        file = tmp_path / "environment"
        file.write_text("".join(f'{name}="{value}"\n' for name, value in (LEAST | more).items()))
        return Settings(_env_file=file)

    return read


def test_the_defaults_are_those_of_a_careful_operator(read: Read) -> None:
    settings = read()
    rules = settings.notifier.rules(ContactPolicy())
    assert rules.retries.pauses == (
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
        timedelta(hours=6),
    )
    assert (settings.notifier.concurrency, settings.smtp.connections) == (256, 8)
    assert rules.team_inbox is None
    assert rules.directory_grace == timedelta(seconds=10)
    assert not settings.notifier.allowed_networks
    assert not settings.notifier.tracking
    assert rules.lease > timedelta(seconds=settings.smtp.timeout_s)
    assert settings.notifier.kept_time == timedelta(days=400)
    assert settings.smtp.port == 25
    assert not settings.smtp.starttls


def test_everything_can_be_set(read: Read) -> None:
    settings = read(
        CSM_SMTP__PORT="587",
        CSM_SMTP__USERNAME="cs",
        CSM_SMTP__PASSWORD="secret",
        CSM_SMTP__STARTTLS="true",
        CSM_NOTIFIER__FALLBACK_ADDRESS="team@vendor.example",
        CSM_NOTIFIER__RETRIES="1s, 2m",
        CSM_NOTIFIER__CONCURRENCY="2",
        CSM_NOTIFIER__DIRECTORY_GRACE_S="2.5",
    )
    assert (settings.smtp.port, settings.smtp.username, settings.smtp.starttls) == (587, "cs", True)
    rules = settings.notifier.rules(ContactPolicy())
    assert rules.team_inbox == "team@vendor.example"
    assert rules.retries.attempts == 3
    assert rules.directory_grace == timedelta(seconds=2.5)
    assert "secret" not in repr(settings)


def test_an_empty_variable_counts_as_unset(read: Read) -> None:
    settings = read(CSM_SMTP__USERNAME="", CSM_SMTP__STARTTLS="", CSM_NOTIFIER__FALLBACK_ADDRESS="")
    assert (settings.smtp.username, settings.smtp.starttls) == (None, False)
    assert settings.notifier.fallback_address is None


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CSM_NOTIFIER__RETRIES", "soon", "as in: 5s, 30s, 2m, 1h"),
        ("CSM_NOTIFIER__FALLBACK_ADDRESS", "the team", "no email address"),
        ("CSM_NOTIFIER__CONCURRENCY", "0", "greater than or equal to 1"),
        ("CSM_NOTIFIER__DIRECTORY_GRACE_S", "-1", "greater than or equal to 0"),
        ("CSM_NOTIFIER__LEASE_S", "60", "messages are sent twice while the mail server is slow"),
        ("CSM_SMTP__SENDER", "the team", "is no mailbox"),
        ("CSM_NOTIFIER__KEPT", "for long", "as in: 5s, 30s, 2m, 1h"),
        ("CSM_NOTIFIER__KEPT", "30d", "must be at least 31d"),
    ],
)
def test_a_mistake_stops_the_start_with_a_sentence(read: Read, name: str, value: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        read(**{name: value})
