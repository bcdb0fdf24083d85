"""The section `webhooks` of the configuration: a name for each connection, its kind, and where its secrets are.

    webhooks:
      stripe:
        kind: stripe
        secret_env: [STRIPE_WEBHOOK_SECRET, STRIPE_WEBHOOK_SECRET_OLD]   # several while one replaces the other
      crm:
        kind: generic
        secret_env: CRM_WEBHOOK_SECRET
        signature: {header: X-Signature, prefix: "sha256="}
        …

The name is the last part of the address, `POST /v1/webhooks/{name}`; `webhook/{name}` is the source of what comes in.
"""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from csm_common.mapping.language import (
    Fact,
    MappingModel,
    Names,
    Skip,
    TimeSpec,
    ValueSpec,
    Zone,
)
from ingest.application.webhooks.signatures import Scheme

HookName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Unlinked = Literal["own_id", "hold"]
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$", to_lower=True)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]

WHOLE_BODY = "."

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class _Hook(MappingModel):
    """`secret_env` names the environment variables that hold the secrets, all of which are valid."""

    secret_env: Names


class StripeHook(_Hook):
    """`account_metadata` is the key under which customers, subscriptions or invoices tell the account in their metadata.
    `unlinked` says what becomes of a customer without: its id is the account's, or its events are held."""

    kind: Literal["stripe"]
    tolerance_s: Seconds = 300.0
    account_metadata: str = Field("account_id", min_length=1)
    unlinked: Unlinked = "own_id"


class ZendeskHook(_Hook):
    """Tickets tagged with one of `escalated_tags` are escalated. `unlinked` says what becomes of an organization without an
    external id: its id is the account's, or its tickets are held."""

    kind: Literal["zendesk"]
    tolerance_s: Seconds = 300.0
    escalated_tags: tuple[str, ...] = ("escalated", "escalation")
    unlinked: Unlinked = "own_id"


class IntercomHook(_Hook):
    """`account` is the id of a company that is the account's: the one that the product gave it, or Intercom's own."""

    kind: Literal["intercom"]
    account: Literal["company_id", "id"] = "company_id"


class Signature(MappingModel):
    """How a sender of its own making signs; see `Scheme`. `key` says whether the key is the secret as it is written,
    or what that is the base64 of, after `whsec_` if that is there."""

    header: Header
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    template: str = "{body}"
    timestamp_header: Header | None = None
    tolerance_s: Seconds = 300.0
    key: Literal["text", "base64"] = "text"

    @model_validator(mode="after")
    def _signs_the_body(self) -> Self:
        names = _PLACEHOLDER.findall(self.template)
        if "body" not in names:
            raise ValueError("template must contain {body}, or anybody could send anything")
        if ("timestamp" in names) != (self.timestamp_header is not None):
            raise ValueError("{timestamp} in template and timestamp_header need each other")
        odd = [name for name in names if not re.fullmatch(r"[A-Za-z0-9-]+", name)]
        if odd:
            raise ValueError(f"template: {odd[0]!r} is neither body, timestamp nor the name of a header")
        return self

    @property
    def scheme(self) -> Scheme:
        """What verifies it."""
        return Scheme(
            header=self.header,
            algorithm=self.algorithm,
            encoding=self.encoding,
            prefix=self.prefix,
            template=_PLACEHOLDER.sub(lambda found: found[0].lower(), self.template),
            timestamp_header=self.timestamp_header,
            tolerance=timedelta(seconds=self.tolerance_s),
        )


def _as_values(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


class GenericHook(_Hook):
    """Any sender that signs JSON. Paths are dotted: `customer.id`, `items.0.price`.

    `each` leads to the list where one delivery brings several messages, `.` where the whole body is one. Where no `id` is
    told, one is derived from the bytes; where no `time` is told, it is when the message came. `name` is what tracking plans
    call it. All facts whose `when` holds are made. The account is `account`, else that of the person by one of the `users`
    names, else `fallback`. With `joins`, the account that is told is that person's from then on.
    """

    kind: Literal["generic"]
    signature: Signature
    each: str | None = Field(None, min_length=1)
    nulls: tuple[str, ...] = ("",)
    timezone: Zone = "UTC"
    id: ValueSpec | None = None
    time: TimeSpec | None = None
    name: ValueSpec | None = None
    account: ValueSpec | None = None
    users: Annotated[tuple[ValueSpec, ...], BeforeValidator(_as_values)] = ()
    users_prefix: str = ""
    joins: bool = False
    fallback: ValueSpec | None = None
    skip: tuple[Skip, ...] = ()
    facts: tuple[Fact, ...] = ()

    @model_validator(mode="after")
    def _tells_of_somebody(self) -> Self:
        if not (self.account or self.users or self.fallback):
            raise ValueError("one of account, users and fallback must say whom the facts are about")
        if self.joins and not (self.account and self.users):
            raise ValueError("joins needs account and users: who is put into which account")
        if not self.facts and not self.joins:
            raise ValueError("facts must say what the messages become")
        return self


Hook = Annotated[StripeHook | ZendeskHook | IntercomHook | GenericHook, Field(discriminator="kind")]


Webhooks = dict[HookName, Hook]
"""Every connection by its name."""
