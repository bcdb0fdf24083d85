"""Settings of the endpoints that operators name: chats and webhooks, and which of them are a team's."""

import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from csm_common.contracts.notifications import ChannelName
from csm_common.settings import SigningSecret

_URL_BEGINS = ("https://", "http://")


def _url(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(_URL_BEGINS):
        raise ValueError("a URL begins with https://")
    return url


def _token(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", token.get_secret_value()):
        raise ValueError("a token has no spaces or line breaks")
    return token


Url = Annotated[SecretStr, AfterValidator(_url)]
"""A secret too: who knows the URL of a chat's webhook can write there."""

Token = Annotated[SecretStr, AfterValidator(_token)]
EndpointName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$")]


class _Endpoint(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class SlackEndpoint(_Endpoint):
    """A channel of Slack: by the URL of its webhook, or by its id, where our bot was invited to it."""

    kind: Literal["slack"]
    url: Url | None = None
    channel: Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{2,}$")] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.url is None) == (self.channel is None):
            raise ValueError("a slack endpoint has either a url or a channel")
        return self


class TeamsEndpoint(_Endpoint):
    """A channel of Microsoft Teams: the URL of its workflow "When a Teams webhook request is received"."""

    kind: Literal["teams"]
    url: Url


class WebhookEndpoint(_Endpoint):
    """A program of anybody's. Every secret signs: name the old and the new one until the receiver has changed over."""

    kind: Literal["webhook"]
    url: Url
    secrets: tuple[SigningSecret, ...] = Field(min_length=1, max_length=5)


Endpoint = Annotated[SlackEndpoint | TeamsEndpoint | WebhookEndpoint, Field(discriminator="kind")]


class SlackSettings(BaseModel):
    """Our app in Slack; with its token people and channels are reached without a webhook each."""

    token: Token | None = Field(default=None, description="xoxb-…, with the scope chat:write.")
    api: str = Field(default="https://slack.com/api", description="Where Slack's methods are.")


def told_wrong(
    endpoints: dict[str, SlackEndpoint | TeamsEndpoint | WebhookEndpoint],
    teams: dict[str, dict[ChannelName, str]],
    slack: SlackSettings,
) -> str | None:
    """What of these does not fit together, as a sentence; None where all does. Mail addresses of teams are not looked at here."""
    for name, endpoint in endpoints.items():
        if name in ("email", "slack", "teams", "webhook"):
            return f"endpoints: {name} is the name of a channel; call the endpoint something else"
        if isinstance(endpoint, SlackEndpoint) and endpoint.channel is not None and slack.token is None:
            return f"endpoints: {name} has a channel, which needs CSM_NOTIFIER__SLACK__TOKEN"
    for team, ways in teams.items():
        for kind, name in ways.items():
            if kind != "email" and (name not in endpoints or endpoints[name].kind != kind):
                return f"teams: {team} names {name}, and there is no {kind} endpoint of that name in CSM_NOTIFIER__ENDPOINTS"
    return None
