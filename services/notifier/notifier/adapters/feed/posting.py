"""Posts messages to subscribers: signed, to addresses that are checked, with no word of URL or secrets in what is told."""

from collections.abc import Sequence
from datetime import datetime

from notifier.adapters.outbound import Outbound, check_url
from notifier.adapters.signing import signed
from notifier.domain.delivery import Answer


class SignedPost:
    """Implements feed_ports.Post."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    def check(self, url: str) -> None:
        """InvalidError where nothing may be posted there."""
        check_url(url, self._outbound.rules)

    async def __call__(
        self, url: str, *, message_id: str, body: str, secrets: Sequence[str], at: datetime
    ) -> Answer:
        """Once: no redirect is followed."""
        content = body.encode()
        headers = {"content-type": "application/json", **signed(secrets, message_id, at, content)}
        return await self._outbound.post(url, content=content, headers=headers)
