"""API keys in memory, in place of the table."""

from collections.abc import Iterable
from datetime import datetime

from csm_common.web.keys import StoredKey, hash_secret
from csm_common.web.rows import ALL_ROWS, Rows


class MemoryKeys:
    """Implements csm_common.web.auth.KeySource. `loads` counts look-ups; while `away` is set every look-up fails with it."""

    def __init__(self) -> None:
        self.loads = 0
        self.away: Exception | None = None
        self._keys: dict[str, StoredKey] = {}

    def add(
        self,
        key_id: str = "k1",
        *,
        scopes: Iterable[str] = ("*",),
        expires_at: datetime | None = None,
        revoked: bool = False,
        source: str | None = None,
        events_per_s: int | None = None,
        rows: Rows = ALL_ROWS,
    ) -> str:
        """Put a key in, in place of one of the same id, and return its token."""
        secret = f"secret-of-{key_id}"
        self._keys[key_id] = StoredKey(
            key_id, hash_secret(secret), frozenset(scopes), expires_at, revoked, source, events_per_s, rows
        )
        return f"csm_{key_id}_{secret}"

    async def load(self, key_id: str) -> StoredKey | None:
        """What is needed to check the key, or None."""
        self.loads += 1
        if self.away is not None:
            raise self.away
        return self._keys.get(key_id)
