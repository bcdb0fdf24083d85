"""A door for every test."""

from collections.abc import AsyncIterator

import pytest
from tests.unit.ingest.door import Door, open_door


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """With the default limits."""
    door = open_door()
    async with door.client:
        yield door
