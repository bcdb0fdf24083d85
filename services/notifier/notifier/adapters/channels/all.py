"""All ways to people as the settings have them."""

import ssl
from collections.abc import Mapping
from typing import TypeVar

import httpcore

from csm_common.contracts.notifications import ChannelName
from csm_common.errors import InvalidError
from notifier.adapters.channels.email import EmailChannel
from notifier.adapters.channels.slack import SlackChannel
from notifier.adapters.channels.teams import TeamsChannel
from notifier.adapters.channels.webhook import WebhookChannel
from notifier.adapters.outbound import Outbound, check_url
from notifier.adapters.smtp_connections import SmtpConnections
from notifier.application.ports import Channel
from notifier.domain.addresses import Mailbox
from notifier.endpoint_settings import SlackEndpoint, TeamsEndpoint, WebhookEndpoint
from notifier.settings import NotifierSettings, Settings

Kind = TypeVar("Kind", SlackEndpoint, TeamsEndpoint, WebhookEndpoint)


def channels_of(settings: Settings, outbound: Outbound, smtp: SmtpConnections) -> dict[str, Channel]:
    """By name. InvalidError where an endpoint's URL is one that nothing may be posted to."""
    notifier = settings.notifier
    check_endpoints(notifier, outbound)
    return {
        "email": EmailChannel(
            smtp,
            Mailbox.parse(settings.smtp.sender),
            timeout_s=settings.smtp.timeout_s,
            connections_at_once=settings.smtp.connections,
            teams=_teams(notifier, "email"),
        ),
        "slack": SlackChannel(
            outbound, _endpoints(notifier, SlackEndpoint), _teams(notifier, "slack"), notifier.slack
        ),
        "teams": TeamsChannel(outbound, _endpoints(notifier, TeamsEndpoint), _teams(notifier, "teams")),
        "webhook": WebhookChannel(
            outbound, _endpoints(notifier, WebhookEndpoint), _teams(notifier, "webhook")
        ),
    }


def tls_of(notifier: NotifierSettings) -> ssl.SSLContext:
    """How HTTPS is verified: by the public certificates and, where they are told, those of the house."""
    context = httpcore.default_ssl_context()
    if notifier.cafile is not None:
        context.load_verify_locations(notifier.cafile)
    return context


def check_endpoints(notifier: NotifierSettings, outbound: Outbound) -> None:
    """A mistake in a URL stops the service when it starts, not the first message."""
    _check("CSM_NOTIFIER__SLACK__API", notifier.slack.api, outbound)
    for name, endpoint in notifier.endpoints.items():
        if endpoint.url is not None:
            _check(f"CSM_NOTIFIER__ENDPOINTS, {name}", endpoint.url.get_secret_value(), outbound)


def _check(where: str, url: str, outbound: Outbound) -> None:
    try:
        check_url(url, outbound.rules)
    except InvalidError as error:
        raise InvalidError(f"{where}: {error.message}") from error


def _endpoints(notifier: NotifierSettings, kind: type[Kind]) -> Mapping[str, Kind]:
    return {name: each for name, each in notifier.endpoints.items() if isinstance(each, kind)}


def _teams(notifier: NotifierSettings, channel: ChannelName) -> Mapping[str, str]:
    return {team: ways[channel] for team, ways in notifier.teams.items() if channel in ways}
