"""Posts messages to subscribers: signed, to addresses that are checked, with no word of URL or secrets in what is told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from notifier.adapters.outbound import Outbound, check_url
from notifier.adapters.signing import signed
from notifier.domain.delivery import Answer

_LONGEST_SAID = 300


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
        reply = await self._outbound.exchange(url, content=content, headers=headers)
        said = (reply.body or b"")[:_LONGEST_SAID].decode(errors="replace")
        return replace(reply.answer, said=" ".join(said.split()) or None)
