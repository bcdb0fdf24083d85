"""Nine playbooks, random histories: what the service asks for is exactly what an independent telling of the documents says."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.playbooks.histories import Both

STARTS = (datetime(2026, 3, 5, 9, tzinfo=UTC), datetime(2026, 10, 21, 13, 7, tzinfo=UTC))


@pytest.mark.parametrize("seed", [0, 1, 2, 5, 6, 7])
async def test_what_comes_out_is_what_the_documents_say(engine: AsyncEngine, seed: int) -> None:
    both = Both(engine, seed, STARTS[seed % 2])
    await both.publish()
    for _ in range(10):
        for _ in range(6):
            await both.happen()
        expected, found = both.expected(), await both.found()
        for what, rows in expected.items():
            assert found[what] == rows, (what, both.deeds)
