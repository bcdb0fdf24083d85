"""Settings of the notifier beside those every service has (`CSM_SMTP__HOST=…`, `CSM_NOTIFIER__RETRIES=5s, 30s, 2m`)."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BaseModel, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from csm_common.contracts.notifications import ChannelName
from csm_common.contracts.topics import NOTIFICATION_REQUESTS
from csm_common.settings import ServiceSettings
from notifier.application.delivery_rules import DeliveryRules
from notifier.domain.addresses import Mailbox, is_address
from notifier.domain.policy import ContactPolicy
from notifier.domain.public_addresses import AddressRules
from notifier.domain.retries import RetrySchedule
from notifier.endpoint_settings import Endpoint, EndpointName, Host, SlackSettings, told_wrong
from notifier.feed_settings import FeedSettings, Time, span

_LEAST_KEPT = timedelta(milliseconds=NOTIFICATION_REQUESTS.retention_ms or 0) + timedelta(days=1)


def _schedule(line: str) -> str:
    RetrySchedule.parse(line)
    return line


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError("this is no email address")
    return text


def _mailbox(text: str) -> str:
    Mailbox.parse(text)
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    plain = parts.scheme in ("https", "http") and parts.hostname and not (parts.query or parts.fragment)
    if not plain or parts.username or not text.isascii() or any(each.isspace() for each in text):
        raise ValueError(
            "write https:// and a host, and a path if there is one, such as https://mail.example.com"
        )
    return text.rstrip("/")


class SmtpSettings(BaseModel):
    """The mail server that takes our mails over."""

    host: str
    port: int = 25
    sender: Annotated[str, AfterValidator(_mailbox)] = Field(
        description="team@example.com, or The Team <team@example.com>"
    )
    username: str | None = None
    password: SecretStr | None = None
    starttls: bool = Field(
        default=False, description="Insist on an encrypted connection with a valid certificate."
    )
    cafile: str | None = Field(
        default=None, description="Certificates to trust for STARTTLS beside the system's own."
    )
    hello: str | None = Field(default=None, description="The name in EHLO; the machine's own unless told.")
    bounce_address: Annotated[str, AfterValidator(_address)] | None = Field(
        default=None,
        description="A mailbox of ours whose sub-addresses (bounces+…@) take mails that come back; see docs/unsubscribe.md.",
    )
    timeout_s: float = Field(
        default=60.0, gt=0, description="For one mail from connecting to the last answer."
    )
    connections: int = Field(default=8, ge=1, description="At most so many connections at once, per process.")
    mails_per_connection: int = Field(default=100, ge=1, description="Then a new one is made.")


class NotifierSettings(BaseModel):
    """How messages are sent."""

    fallback_address: Annotated[str, AfterValidator(_address)] | None = Field(
        default=None,
        description="The team inbox, where our own team is to be reached and nobody can be found.",
    )
    retries: Annotated[str, AfterValidator(_schedule)] = Field(
        default="5s, 30s, 2m, 10m, 1h, 6h",
        description="The pauses after failed attempts, each longer by up to a fifth at random.",
    )
    concurrency: int = Field(
        default=256,
        ge=1,
        description="At most so many messages are being sent at once, to all endpoints together.",
    )
    lease_s: float = Field(
        default=120.0, description="After this long a sender that tells nothing is taken for dead."
    )
    interval_s: float = Field(default=1.0, gt=0, description="How often is looked for retries that are due.")
    directory_grace_s: float = Field(
        default=10.0,
        ge=0,
        description="So long after a request's receipt its contact may still come before the team inbox stands in.",
    )
    policy_file: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("policy_file", "policy"),
        description="The contact policy in place of the packaged one: docs/contact-policy.md.",
    )
    endpoints: dict[EndpointName, Endpoint] = Field(
        default={}, description="Chats and webhooks by name, as JSON."
    )
    teams: dict[str, dict[ChannelName, str]] = Field(
        default={}, description="By team and channel: its address, or the name of its endpoint. As JSON."
    )
    slack: SlackSettings = SlackSettings()
    allowed_networks: tuple[str, ...] = Field(
        default=(),
        description="Networks (CIDR) that are sent to over HTTP although they are not public. As JSON.",
    )
    allowed_hosts: tuple[Host, ...] = Field(
        default=(), description="Hosts that are sent to over HTTP whatever their addresses are. As JSON."
    )
    cafile: str | None = Field(
        default=None, description="Certificates to trust for HTTPS beside the public ones."
    )
    http_timeout_s: float = Field(
        default=10.0,
        gt=0,
        description="For one message over HTTP, from looking the name up to the answer's end.",
    )
    public_url: Annotated[str, AfterValidator(_public_url)] | None = Field(
        default=None,
        description="Where people reach /v1/unsubscribe and the like, such as https://mail.example.com.",
    )
    tracking: bool = Field(
        default=False, description="Tell of opens and clicks of messages to customers; ask a lawyer first."
    )
    kept: Time = Field(
        default="400d",
        description="Notifications are kept for so long after they ended, with all about them.",
    )
    feed: FeedSettings = FeedSettings()
    categories: dict[str, dict[Literal["en", "de"], str]] = Field(
        default={}, description="What people call the categories they can choose from, by language. As JSON."
    )

    @property
    def kept_time(self) -> timedelta:
        """`kept` as a time."""
        return span(self.kept)

    @property
    def addresses(self) -> AddressRules:
        """Where messages may go over HTTP."""
        return AddressRules.parse(self.allowed_networks, self.allowed_hosts)

    @model_validator(mode="after")
    def _endpoints_fit(self) -> Self:
        if (mistake := told_wrong(self.endpoints, self.teams, self.slack)) is not None:
            raise ValueError(mistake)
        if any(not is_address(ways["email"]) for ways in self.teams.values() if "email" in ways):
            raise ValueError("teams: an email of a team is no email address")
        _ = self.addresses
        return self

    @model_validator(mode="after")
    def _outlive_their_requests(self) -> Self:
        if self.kept_time < _LEAST_KEPT:
            raise ValueError(
                f"kept ({self.kept}) must be at least {_LEAST_KEPT.days}d: {NOTIFICATION_REQUESTS.name} is kept nearly as long,"
                " and a request that is read again must be known"
            )
        return self

    def rules(self, contact_policy: ContactPolicy) -> DeliveryRules:
        """What of this the deliveries go by."""
        return DeliveryRules(
            retries=RetrySchedule.parse(self.retries),
            lease=timedelta(seconds=self.lease_s),
            contact_policy=contact_policy,
            team_inbox=self.fallback_address,
            directory_grace=timedelta(seconds=self.directory_grace_s),
        )


class Settings(ServiceSettings):
    """Everything `app.py` needs."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    smtp: SmtpSettings
    notifier: NotifierSettings = NotifierSettings()

    @model_validator(mode="after")
    def _leases_outlast_sends(self) -> Self:
        if self.notifier.lease_s < 1.5 * self.smtp.timeout_s:
            raise ValueError(
                f"notifier.lease_s ({self.notifier.lease_s:g}) must be at least 1.5 × smtp.timeout_s"
                f" ({self.smtp.timeout_s:g}), or messages are sent twice while the mail server is slow"
            )
        leases = {
            "notifier.lease_s": self.notifier.lease_s,
            "notifier.feed.lease_s": self.notifier.feed.lease_s,
        }
        for name, lease_s in leases.items():
            if lease_s < 1.5 * self.notifier.http_timeout_s:
                raise ValueError(
                    f"{name} ({lease_s:g}) must be at least 1.5 × notifier.http_timeout_s"
                    f" ({self.notifier.http_timeout_s:g}), or messages are sent twice while a receiver is slow"
                )
        return self
