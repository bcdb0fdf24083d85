"""The endpoints of webhook steps: HTTP by name, signed as Standard Webhooks (https://www.standardwebhooks.com) say.

Addresses and secrets are in the settings alone, so a playbook can name nothing that an operator has not allowed.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
from standardwebhooks import Webhook

from csm_common.errors import PermanentError, TransientError
from playbooks.settings import EndpointSettings

AT_ONCE = 10
"""Calls to one endpoint at a time, so that a slow one holds up no other."""

_TIMEOUT = httpx.Timeout(8.0, connect=3.0)
WHOLE_S = 10.0
"""For all of a call: less than the lease of whoever makes it."""

_TRY_AGAIN = frozenset({408, 409, 425, 429})


class HttpEndpoints:
    """Implements Endpoints."""

    def __init__(
        self, client: httpx.AsyncClient, endpoints: Mapping[str, EndpointSettings], whole_s: float = WHOLE_S
    ) -> None:
        self._client = client
        self._whole_s = whole_s
        self._endpoints = endpoints
        self._turns: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))

    def known(self) -> frozenset[str]:
        """Their names."""
        return frozenset(self._endpoints)

    async def call(self, endpoint: str, *, message_id: str, at: datetime, body: bytes) -> int:
        """Post the body once; redirects are not followed."""
        settings = self._endpoints.get(endpoint)
        if settings is None:
            raise PermanentError(
                f"There is no endpoint {endpoint}: name its address in CSM_PLAYBOOKS__ENDPOINTS, then retry the run.",
                code="unknown_endpoint",
            )
        try:
            async with asyncio.timeout(self._whole_s), self._turns[endpoint]:
                answer = await self._client.post(
                    str(settings.url), content=body, headers=_headers(settings, message_id, at, body)
                )
        except (httpx.HTTPError, TimeoutError) as error:
            raise TransientError(f"{endpoint} did not answer: {type(error).__name__}") from error
        return _judged(endpoint, answer.status_code)


def _headers(settings: EndpointSettings, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    headers = {"content-type": "application/json", "webhook-id": message_id, "idempotency-key": message_id}
    if settings.secret is not None:
        signature = Webhook(settings.secret.get_secret_value()).sign(message_id, at, body.decode())
        headers |= {"webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    return headers


def _judged(endpoint: str, status: int) -> int:
    if 200 <= status < 300:
        return status
    said = f"{endpoint} answered {status}"
    if status >= 500 or status in _TRY_AGAIN:
        raise TransientError(said)
    raise PermanentError(said, code="endpoint_refused")


@asynccontextmanager
async def open_endpoints(
    endpoints: Mapping[str, EndpointSettings], *, whole_s: float = WHOLE_S
) -> AsyncIterator[HttpEndpoints]:
    """Keeps connections open while it lasts; a call may take `whole_s`."""
    async with httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client:
        yield HttpEndpoints(client, endpoints, whole_s)
