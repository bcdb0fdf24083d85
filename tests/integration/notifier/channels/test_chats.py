"""Slack, Teams and webhooks against receivers that answer as those do."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter
from standardwebhooks import Webhook
from tests.integration.notifier.channels.receiver import Answering, Receiver, begun, said, said_json
from tests.unit.notifier.channels.messages import outgoing, to_endpoint

from notifier.adapters.channels.slack import SlackChannel
from notifier.adapters.channels.teams import TeamsChannel
from notifier.adapters.channels.webhook import WebhookChannel
from notifier.adapters.outbound import Outbound
from notifier.domain.recipients import Contact, Recipient
from notifier.endpoint_settings import Endpoint, SlackSettings

OLD, NEW = ("whsec_" + b64encode(bytes([number]) * 32).decode() for number in range(2))
TOKEN = "xoxb-SECRET"
KIM = Recipient("contact", "U0KIM", "kim")


def endpoint(kind: str, **fields: Any) -> Any:
    """An endpoint as the settings read it."""
    adapter: TypeAdapter[Any] = TypeAdapter(Endpoint)
    return adapter.validate_python({"kind": kind, **fields})


def slack(receiver: Receiver, outbound: Outbound, token: str | None = TOKEN) -> SlackChannel:
    """With a webhook and a channel, both at the receiver."""
    endpoints = {"hook": endpoint("slack", url=receiver.url), "room": endpoint("slack", channel="C0ROOM")}
    api = f"http://127.0.0.1:{receiver.port}/api"
    settings = SlackSettings.model_validate({"token": token, "api": api})
    return SlackChannel(outbound, endpoints, {"emea": "room"}, settings)


async def test_slack_by_webhook(receiver: Receiver, outbound: Outbound) -> None:
    receiver.answers = [said(200, b"ok")]
    answer = await slack(receiver, outbound).send(to_endpoint("hook"))
    assert (answer.outcome, answer.code) == ("accepted", 200)
    (came,) = receiver.came
    assert came.target.startswith("/SECRET-PATH")
    assert "authorization" not in came.headers
    assert came.json["blocks"][0]["text"]["text"] == "Acme is at risk"


@pytest.mark.parametrize(
    ("recipient", "channel"),
    [
        (Recipient("endpoint", "room"), "C0ROOM"),
        (Recipient("team", "room", name="emea"), "C0ROOM"),
        (KIM, "U0KIM"),
    ],
    ids=["endpoint", "team", "person"],
)
async def test_slack_by_token(
    receiver: Receiver, outbound: Outbound, recipient: Recipient, channel: str
) -> None:
    receiver.answers = [said_json({"ok": True, "ts": "1.2"})]
    answer = await slack(receiver, outbound).send(outgoing(recipient))
    assert answer.outcome == "accepted"
    (came,) = receiver.came
    assert (came.target, came.json["channel"]) == ("/api/chat.postMessage", channel)
    assert came.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("error", "outcome", "fault"),
    [
        ("ratelimited", "deferred", False),
        ("invalid_auth", "deferred", True),
        ("token_revoked", "deferred", True),
        ("account_inactive", "deferred", True),
        ("missing_scope", "deferred", True),
        ("service_unavailable", "deferred", True),
        ("fatal_error", "unknown", True),
        ("channel_not_found", "refused", False),
        ("is_archived", "refused", False),
        ("msg_too_long", "refused", False),
        ("not_in_channel", "refused", False),
        ("something_new", "refused", False),
    ],
)
async def test_slacks_errors_come_with_200(
    receiver: Receiver, outbound: Outbound, error: str, outcome: str, fault: bool
) -> None:
    receiver.answers = [said_json({"ok": False, "error": error})]
    answer = await slack(receiver, outbound).send(to_endpoint("room"))
    assert (answer.outcome, answer.fault, answer.code) == (outcome, fault, 200)
    assert answer.detail == f"Slack answered {error}"


@pytest.mark.parametrize(
    "unreadable",
    [
        said(200, b"ok"),
        said(200, b""),
        said_json(["ok"]),
        said_json({}),
        said(200, b"[" * 50_000),
        begun(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{", closes=True),
    ],
    ids=range(6),
)
async def test_without_slacks_word_nobody_knows(
    receiver: Receiver, outbound: Outbound, unreadable: Answering
) -> None:
    receiver.answers = [unreadable]
    assert (await slack(receiver, outbound).send(to_endpoint("room"))).outcome == "unknown"


async def test_an_error_of_slack_is_a_word_and_nothing_else(receiver: Receiver, outbound: Outbound) -> None:
    receiver.answers = [said_json({"ok": False, "error": "<b>\nBig & long" * 99})]
    answer = await slack(receiver, outbound).send(to_endpoint("room"))
    assert (answer.outcome, answer.detail) == ("refused", "Slack answered something unknown")


async def test_slack_throttles_by_status(receiver: Receiver, outbound: Outbound) -> None:
    receiver.answers = [said(429, retry_after="30"), said(429, retry_after="30")]
    channel = slack(receiver, outbound)
    for name in ("hook", "room"):
        answer = await channel.send(to_endpoint(name))
        assert (answer.outcome, answer.fault, answer.retry_after) == (
            "deferred",
            False,
            timedelta(seconds=30),
        )


async def test_slack_reaches_members_where_there_is_a_token(receiver: Receiver, outbound: Outbound) -> None:
    handles = ["U0KIM", "W0KIM", "@kim", "C0GENERAL", "kim", "", None]
    with_token, without = (slack(receiver, outbound, token).reach for token in (TOKEN, None))
    contacts = [Contact(contact_id="kim", chat_handle=each) for each in handles]
    assert [with_token.address_of(each) for each in contacts] == ["U0KIM", "W0KIM", *[None] * 5]
    assert [without.address_of(each) for each in contacts] == [None] * 7
    assert dict(with_token.teams) == {"emea": "room"}
    assert set(with_token.endpoints) == {"hook", "room"}


async def test_slack_paces_endpoints_by_name_and_persons_together(
    receiver: Receiver, outbound: Outbound
) -> None:
    channel = slack(receiver, outbound)
    assert channel.endpoint(Recipient("team", "room")) == "room"
    assert channel.endpoint(KIM) == "slack"
    assert (channel.manners.every, channel.manners.repeatable) == (timedelta(seconds=1), False)


async def test_nothing_is_sent_to_who_is_not_named(receiver: Receiver, outbound: Outbound) -> None:
    for channel in (
        slack(receiver, outbound),
        TeamsChannel(outbound, {}, {}),
        WebhookChannel(outbound, {}, {}),
    ):
        answer = await channel.send(to_endpoint("nowhere"))
        assert answer.outcome == "refused"
        assert "CSM_NOTIFIER__ENDPOINTS" in answer.detail
    tokenless = await slack(receiver, outbound, None).send(outgoing(KIM))
    assert (tokenless.outcome, "CSM_NOTIFIER__SLACK__TOKEN" in tokenless.detail) == ("refused", True)
    assert receiver.came == []


async def test_no_secret_is_in_an_answer(receiver: Receiver, outbound: Outbound) -> None:
    receiver.answers = [said(403), said_json({"ok": False, "error": "invalid_auth"}), said(500, b"SECRET")]
    channel = slack(receiver, outbound)
    answers = [await channel.send(to_endpoint(name)) for name in ("hook", "room", "hook")]
    assert "SECRET" not in repr(answers)


async def test_teams_takes_a_card(receiver: Receiver, outbound: Outbound) -> None:
    receiver.answers = [said(202), said(429, retry_after="2"), begun(closes=True)]
    channel = TeamsChannel(outbound, {"csm": endpoint("teams", url=receiver.url)}, {"emea": "csm"})
    answers = [await channel.send(to_endpoint("csm")) for _ in range(3)]
    assert [each.outcome for each in answers] == ["accepted", "deferred", "unknown"]
    assert receiver.came[0].json["attachments"][0]["content"]["type"] == "AdaptiveCard"
    assert not channel.manners.repeatable


def headers_of(receiver: Receiver) -> Mapping[str, str]:
    """Those of the last request."""
    return receiver.came[-1].headers


async def test_a_webhook_is_signed_with_every_secret_and_its_repeats_are_known(
    receiver: Receiver, outbound: Outbound
) -> None:
    receiver.answers = [said_json({"outcome": "ticket opened"}), said(500, b'{"outcome": "down"}')]
    crm = endpoint("webhook", url=receiver.url, secrets=[NEW, OLD])
    channel = WebhookChannel(outbound, {"crm": crm}, {})
    message = replace(to_endpoint("crm"), now=datetime.now(UTC))
    first, second = await channel.send(message), await channel.send(message)
    assert (first.outcome, first.said) == ("accepted", "ticket opened")
    assert second.outcome == "deferred"
    for each in receiver.came:
        for secret in (OLD, NEW):
            assert Webhook(secret).verify(each.body, dict(each.headers))["id"] == "n-1"
    assert {each.headers["webhook-id"] for each in receiver.came} == {"n-1"}
    assert headers_of(receiver)["content-type"] == "application/json"
    assert channel.manners.repeatable


@pytest.mark.parametrize("character", ["世", "\udcff", "\x00"])
async def test_any_words_arrive_at_a_webhook(receiver: Receiver, outbound: Outbound, character: str) -> None:
    crm = endpoint("webhook", url=receiver.url, secrets=[NEW])
    message = to_endpoint("crm", account_id=f"a{character}b")
    assert (await WebhookChannel(outbound, {"crm": crm}, {}).send(message)).outcome == "accepted"
    assert receiver.came[0].json["account_id"].startswith("a")
