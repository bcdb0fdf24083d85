"""The Slack channel: one message to a channel by its webhook or by our app's token, or to a person by the token.

Slack knows no repeats: what may have gone out is not sent again. An answer about our app (token, scopes) fails no message.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from notifier.adapters.channels.facts import facts, origin
from notifier.adapters.outbound import Outbound, Reply
from notifier.application.ports import Manners, Outgoing
from notifier.domain.delivery import Answer
from notifier.domain.recipients import Contact, Reach, Recipient, no_address
from notifier.endpoint_settings import SlackEndpoint, SlackSettings

PEOPLE = "slack"
"""The endpoint of all messages to persons: no address is in a name."""

# Limits of Block Kit, in characters.
_HEADER, _SECTION, _FIELD = 150, 3000, 2000

_MEMBER = re.compile(r"[UW][A-Z0-9]{2,}")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

# https://api.slack.com/methods/chat.postMessage#errors
_LATER = frozenset({"ratelimited", "rate_limited", "request_timeout", "team_added_to_org"})
_OUT_OF_ORDER = frozenset({"service_unavailable"})
_MAYBE_POSTED = frozenset({"fatal_error", "internal_error"})
_ABOUT_US = frozenset(
    {
        "access_denied", "account_inactive", "ekm_access_denied", "enterprise_is_restricted", "invalid_auth", "missing_scope",
        "no_permission", "not_allowed_token_type", "not_authed", "org_login_required", "token_expired", "token_revoked",
    }
)  # fmt: skip


class SlackChannel:
    """Implements Channel. `teams` gives the name of a team's endpoint."""

    manners = Manners(
        at_once=1, every=timedelta(seconds=1), repeatable=False
    )  # Slack takes one message a second and channel

    def __init__(
        self,
        outbound: Outbound,
        endpoints: Mapping[str, SlackEndpoint],
        teams: Mapping[str, str],
        slack: SlackSettings,
    ) -> None:
        self._outbound = outbound
        self._endpoints = endpoints
        self._method = f"{slack.api.rstrip('/')}/chat.postMessage"
        self._token = slack.token.get_secret_value() if slack.token is not None else None
        self.reach = Reach(_member if self._token else no_address, teams, frozenset(endpoints))

    def endpoint(self, recipient: Recipient) -> str:
        """Its name; that of all persons together."""
        return PEOPLE if recipient.person else recipient.address

    async def send(self, message: Outgoing) -> Answer:
        """Send by the way the recipient has."""
        recipient = message.begun.recipient
        if recipient.person:
            return await self._by_token(recipient.address, message)
        endpoint = self._endpoints.get(recipient.address)
        if endpoint is None:
            return Answer(
                "refused",
                f"there is no slack endpoint {recipient.address}; name it in CSM_NOTIFIER__ENDPOINTS",
            )
        if endpoint.url is not None:
            return await self._by_webhook(endpoint.url.get_secret_value(), message)
        return await self._by_token(str(endpoint.channel), message)

    def abandon(self) -> None:
        """Give up on what is being sent."""
        self._outbound.abandon()

    async def _by_webhook(self, url: str, message: Outgoing) -> Answer:
        return await self._outbound.post(url, content=_json(blocks(message)), headers=_JSON)

    async def _by_token(self, channel: str, message: Outgoing) -> Answer:
        if self._token is None:
            return Answer("refused", "there is no token of Slack; set CSM_NOTIFIER__SLACK__TOKEN")
        reply = await self._outbound.exchange(
            self._method,
            content=_json({"channel": channel, "unfurl_links": False, **blocks(message)}),
            headers={**_JSON, "authorization": f"Bearer {self._token}"},
        )
        return _read(reply) if reply.answer.outcome == "accepted" else reply.answer


_JSON = {"content-type": "application/json; charset=utf-8"}


def blocks(message: Outgoing) -> dict[str, Any]:
    """The message in Block Kit, with its subject as the text of notifications. Nothing in it is read as a mention or a link."""
    words = message.words
    shown: list[dict[str, Any]] = []
    if header := _cut(" ".join(words.subject.split()), _HEADER):
        shown.append({"type": "header", "text": {"type": "plain_text", "text": header, "emoji": False}})
    if lead := escaped(words.lead or words.text, _SECTION):
        shown.append({"type": "section", "text": {"type": "mrkdwn", "text": lead}})
    if known := facts(message):
        fields = [f"*{label}*\n{escaped(value, _FIELD - 100)}" for label, value in known]
        shown.append({"type": "section", "fields": [{"type": "mrkdwn", "text": each} for each in fields]})
    if points := escaped("\n".join(f"• {each}" for each in words.points), _SECTION):
        shown.append({"type": "section", "text": {"type": "mrkdwn", "text": points}})
    shown.append(
        {"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(origin(message), _FIELD)}]}
    )
    return {"text": escaped(words.subject, _SECTION), "blocks": shown}


def escaped(text: str, limit: int) -> str:
    """As mrkdwn of at most `limit` characters, cut between characters and never within an entity."""
    pieces = [_ENTITIES.get(each, each) for each in text.strip()]
    if sum(map(len, pieces)) <= limit:
        return "".join(pieces)
    kept, room = [], limit - 1
    for each in pieces:
        room -= len(each)
        if room < 0:
            break
        kept.append(each)
    return "".join(kept) + "…"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _member(contact: Contact) -> str | None:
    """The contact's member id; no name, and no channel that somebody wrote in its place."""
    handle = contact.chat_handle
    return handle if handle is not None and _MEMBER.fullmatch(handle) else None


def _read(reply: Reply) -> Answer:
    """Slack's methods answer 200, and say in the body what became of the call."""
    try:
        told = json.loads(reply.body or b"")
        good, error = told["ok"] is True, told.get("error")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return replace(reply.answer, outcome="unknown", detail="Slack's answer could not be read", fault=True)
    if good:
        return replace(reply.answer, detail="Slack answered ok")
    error = error if isinstance(error, str) and re.fullmatch(r"[a-z_]{1,60}", error) else "something unknown"
    return _by_error(error, reply.answer.code)


def _by_error(error: str, code: int | None) -> Answer:
    detail = f"Slack answered {error}"
    if error in _MAYBE_POSTED:
        return Answer("unknown", detail, code, fault=True)
    if error in _ABOUT_US or error in _OUT_OF_ORDER:
        return Answer("deferred", detail, code, fault=True)
    return Answer("deferred" if error in _LATER else "refused", detail, code)
