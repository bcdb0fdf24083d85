"""Endpoints as an operator writes them, and the mistakes that stop the start."""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from csm_common.errors import InvalidError
from notifier.adapters.channels.all import channels_of
from notifier.adapters.outbound import Outbound
from notifier.adapters.smtp_connections import SmtpConnections
from notifier.domain.recipients import Recipient
from notifier.settings import Settings

SECRET = "whsec_" + b64encode(b"SECRET" * 5).decode()
HOOK = "https://hooks.slack.com/services/SECRET"
LEAST = {
    "CSM_DATABASE__DSN": "postgresql://notifier:pw@localhost/csm",
    "CSM_KAFKA__BOOTSTRAP": "localhost:9092",
    "CSM_SMTP__HOST": "mail.vendor.example",
    "CSM_SMTP__SENDER": "cs@vendor.example",
}
ENDPOINTS = {
    "csm-alerts": {"kind": "slack", "url": HOOK},
    "csm-emea": {"kind": "slack", "channel": "C0EMEA"},
    "csm-ms": {"kind": "teams", "url": "https://prod-1.westeurope.logic.azure.com/SECRET"},
    "crm": {"kind": "webhook", "url": "https://crm.example.com/hooks", "secrets": [SECRET]},
}

Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The settings of the least environment and more: what is no text is written as JSON."""

    def read(**more: object) -> Settings:
        file = tmp_path / "environment"
        told = {name: each if isinstance(each, str) else json.dumps(each) for name, each in more.items()}
        file.write_text("".join(f"{name}='{value}'\n" for name, value in (LEAST | told).items()))
        return Settings(_env_file=file)

    return read


async def test_every_channel_knows_its_endpoints_and_teams(read: Read) -> None:
    settings = read(
        CSM_NOTIFIER__ENDPOINTS=ENDPOINTS,
        CSM_NOTIFIER__SLACK__TOKEN="xoxb-SECRET",
        CSM_NOTIFIER__TEAMS={"emea": {"email": "emea@vendor.example", "slack": "csm-emea"}},
        CSM_SMTP__CONNECTIONS="3",
    )
    assert "SECRET" not in repr(settings)
    async with Outbound(settings.notifier.addresses) as outbound:
        channels = channels_of(settings, outbound, SmtpConnections(settings.smtp))
    assert {name: each.reach.endpoints for name, each in channels.items()} == {
        "email": set(),
        "slack": {"csm-alerts", "csm-emea"},
        "teams": {"csm-ms"},
        "webhook": {"crm"},
    }
    assert channels["email"].reach.teams == {"emea": "emea@vendor.example"}
    assert channels["slack"].reach.teams == {"emea": "csm-emea"}
    assert channels["email"].manners.at_once == 8 * 3  # mails are ready when a connection is
    assert channels["email"].endpoint(Recipient("team", "emea@vendor.example")) == "email"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"CSM_NOTIFIER__ENDPOINTS": {"a": {"kind": "fax", "url": HOOK}}}, "fax|kind"),
        ({"CSM_NOTIFIER__ENDPOINTS": {"a": {"kind": "slack"}}}, "either a url or a channel"),
        (
            {"CSM_NOTIFIER__ENDPOINTS": {"a": {"kind": "slack", "url": HOOK, "channel": "C01"}}},
            "either a url or a channel",
        ),
        (
            {"CSM_NOTIFIER__ENDPOINTS": {"a": {"kind": "slack", "channel": "C01"}}},
            "CSM_NOTIFIER__SLACK__TOKEN",
        ),
        ({"CSM_NOTIFIER__ENDPOINTS": {"a": {"kind": "slack", "channel": "#SECRET"}}}, "pattern"),
        ({"CSM_NOTIFIER__ENDPOINTS": {"a": {"kind": "teams", "url": "SECRET.example"}}}, "begins with https"),
        ({"CSM_NOTIFIER__ENDPOINTS": {"a": {"kind": "webhook", "url": HOOK, "secrets": []}}}, "at least 1"),
        (
            {"CSM_NOTIFIER__ENDPOINTS": {"a": {"kind": "webhook", "url": HOOK, "secrets": ["SECRET"]}}},
            "whsec_ and the base64",
        ),
        ({"CSM_NOTIFIER__ENDPOINTS": {"email": {"kind": "teams", "url": HOOK}}}, "name of a channel"),
        ({"CSM_NOTIFIER__ENDPOINTS": {"A b": {"kind": "teams", "url": HOOK}}}, "pattern"),
        ({"CSM_NOTIFIER__TEAMS": {"emea": {"email": "SECRET"}}}, "no email address"),
        ({"CSM_NOTIFIER__TEAMS": {"emea": {"slack": "csm"}}}, "no slack endpoint of that name"),
        ({"CSM_NOTIFIER__TEAMS": {"emea": {"fax": "1"}}}, "email"),
        ({"CSM_NOTIFIER__HTTP_TIMEOUT_S": "100"}, "sent twice while a receiver is slow"),
        ({"CSM_NOTIFIER__SLACK__TOKEN": "xoxb SECRET"}, "no spaces"),
        ({"CSM_NOTIFIER__ALLOWED_NETWORKS": ["ten"]}, "ten"),
        ({"CSM_NOTIFIER__ALLOWED_NETWORKS": ["10.0.0.1/8"]}, "host bits"),
        ({"CSM_NOTIFIER__ALLOWED_HOSTS": ["https://a.example"]}, "pattern"),
    ],
    ids=range(18),
)
def test_a_mistake_stops_the_start_and_keeps_the_secret(
    read: Read, more: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence) as told:
        read(**more)
    assert "SECRET" not in str(told.value)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            {"CSM_NOTIFIER__ENDPOINTS": {"a": {"kind": "teams", "url": "https://10.0.0.1/SECRET"}}},
            "ENDPOINTS, a: .*not public",
        ),
        (
            {"CSM_NOTIFIER__ENDPOINTS": {"a": {"kind": "teams", "url": "http://a.example/SECRET"}}},
            "ENDPOINTS, a: .*only https",
        ),
        ({"CSM_NOTIFIER__SLACK__API": "http://a.example"}, "SLACK__API: .*only https"),
    ],
    ids=range(3),
)
async def test_a_url_nothing_may_be_posted_to_stops_the_start(
    read: Read, more: dict[str, object], sentence: str
) -> None:
    settings = read(**more)
    async with Outbound(settings.notifier.addresses) as outbound:
        with pytest.raises(InvalidError, match=sentence) as told:
            channels_of(settings, outbound, SmtpConnections(settings.smtp))
    assert "SECRET" not in told.value.message
