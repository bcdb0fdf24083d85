"""The webhooks of the configuration at work: what verifies a delivery, splits it into messages, and reads these."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from csm_common.errors import FatalError
from ingest.application.incoming import Reader, Received
from ingest.application.webhooks.fields import look
from ingest.application.webhooks.generic import PLACE, UNSPLIT, GenericReader
from ingest.application.webhooks.intercom import IntercomReader
from ingest.application.webhooks.rules import (
    WHOLE_BODY,
    GenericHook,
    Hook,
    IntercomHook,
    StripeHook,
    Webhooks,
)
from ingest.application.webhooks.signatures import (
    Headers,
    Verify,
    intercom_scheme,
    stripe_scheme,
    zendesk_scheme,
)
from ingest.application.webhooks.stripe import StripeReader
from ingest.application.webhooks.zendesk import ZendeskReader
from ingest.domain.decision import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One webhook. `source` is the source of its messages and names their reader. `each` leads to the list of messages
    within a delivery, where there is one."""

    source: str
    verify: Verify
    secrets: Sequence[bytes] = field(repr=False)
    reader: Reader
    each: str | None = None

    def problem(self, headers: Headers, body: bytes, now: datetime) -> Rejected | None:
        """What speaks against the delivery's being genuine."""
        return self.verify(headers, body, self.secrets, now)

    def messages(self, body: bytes, at: datetime) -> list[Received]:
        """The messages of a delivery received `at`. One that cannot be split is one message, which its reader will reject."""
        if self.each is None:
            return [self._received(body, at, {})]
        found = _listed(body, self.each)
        if isinstance(found, str):
            return [self._received(body, at, {UNSPLIT: found})]
        delivery = sha256(body).hexdigest()[:32]
        return [self._received(each, at, {PLACE: f"{delivery}/{place}"}) for place, each in enumerate(found)]

    def _received(self, body: bytes, at: datetime, context: Mapping[str, str]) -> Received:
        return Received(format=self.source, source=self.source, body=body, at=at, context=context)


def connect(webhooks: Webhooks, environ: Mapping[str, str]) -> dict[str, Connection]:
    """The connections by name, with their secrets out of the environment; FatalError names what is not there."""
    return {name: _connection(name, hook, environ) for name, hook in webhooks.items()}


def readers(connections: Mapping[str, Connection]) -> dict[str, Reader]:
    """The readers by the format that the messages have."""
    return {each.source: each.reader for each in connections.values()}


def _connection(name: str, hook: Hook, environ: Mapping[str, str]) -> Connection:
    secrets = [_secret(name, variable, environ) for variable in hook.secret_env]
    if isinstance(hook, GenericHook) and hook.signature.key == "base64":
        secrets = [_decoded_secret(name, each) for each in secrets]
    verify, reader = _kind(hook)
    return Connection(
        source=f"webhook/{name}",
        verify=verify,
        secrets=secrets,
        reader=reader,
        each=hook.each if isinstance(hook, GenericHook) else None,
    )


def _kind(hook: Hook) -> tuple[Verify, Reader]:
    if isinstance(hook, GenericHook):
        return hook.signature.scheme, GenericReader(hook)
    if isinstance(hook, IntercomHook):
        return intercom_scheme(), IntercomReader(company_key=hook.account)
    tolerance, hold = timedelta(seconds=hook.tolerance_s), hook.unlinked == "hold"
    if isinstance(hook, StripeHook):
        return stripe_scheme(tolerance), StripeReader(metadata_key=hook.account_metadata, hold_unlinked=hold)
    tags = frozenset(each.lower() for each in hook.escalated_tags)
    return zendesk_scheme(tolerance), ZendeskReader(escalated_tags=tags, hold_unlinked=hold)


def _secret(name: str, variable: str, environ: Mapping[str, str]) -> bytes:
    secret = environ.get(variable, "")
    if not secret:
        raise FatalError(
            f"The secret of the webhook {name!r} is not there: set the environment variable {variable}.",
            code="secret_missing",
        )
    return secret.encode()


def _decoded_secret(name: str, secret: bytes) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(b"whsec_"), validate=True)
    except ValueError as error:
        raise FatalError(
            f"The secret of the webhook {name!r} is not base64, as its signature says it is.",
            code="secret_invalid",
        ) from error


def _listed(body: bytes, path: str) -> list[bytes] | str:
    """The items of the list that `path` leads to, each as JSON, or why there is none."""
    try:
        found = look(msgspec.json.decode(body), *([] if path == WHOLE_BODY else path.split(".")))
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        return f"The payload is not JSON: {error}."
    if not isinstance(found, list):
        return f"There is no list of messages at {path}."
    return [msgspec.json.encode(each) for each in found]
