"""Endpoints as a test wants them: what was called, and what is answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Posted:
    """A call that came in."""

    endpoint: str
    message_id: str
    at: datetime
    body: dict[str, Any]


@dataclass
class ToldEndpoints:
    """Implements Endpoints. `answers` come one a call, errors raised; then 200. `during` is done while a call is out."""

    answers: list[int | Exception] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    during: Callable[[], Awaitable[None]] | None = None

    def known(self) -> frozenset[str]:
        """Their names."""
        return frozenset({"crm"})

    async def call(self, endpoint: str, *, message_id: str, at: datetime, body: bytes) -> int:
        """Note it, and answer as told."""
        self.posted.append(Posted(endpoint, message_id, at, msgspec.json.decode(body)))
        if self.during is not None:
            during, self.during = self.during, None
            await during()
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer
