"""Pseudonyms of addresses: the same for all spellings of one, and of no use to whom has not the key."""

import hmac

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from notifier.application.ports import PersonOf

_KEY = text("SELECT key FROM keys WHERE name = 'addresses'")
_CHARACTERS = 32


async def load_person_of(engine: AsyncEngine) -> PersonOf:
    """The pseudonyms under the key that the first migration of this table made; all replicas have the same ones."""
    async with engine.connect() as connection:
        return person_of(bytes((await connection.execute(_KEY)).scalar_one()))


def person_of(key: bytes) -> PersonOf:
    """HMAC-SHA256 of the address, casefolded and stripped, as 32 hexadecimal characters."""

    def pseudonym(address: str) -> str:
        spelled = address.strip().casefold()
        return hmac.digest(key, spelled.encode(), "sha256").hex()[:_CHARACTERS]

    return pseudonym
