"""Operators see how many rejections are open, by code, and no longer those that were replayed."""

import asyncio
from collections.abc import Mapping

from tests.support.clock import START, ManualClock
from tests.support.waiting import eventually
from tests.unit.ingest.memory_store import MemoryRejections
from tests.unit.ingest.rejections.fakes import MemoryRejectionReads

from ingest.application.incoming import Received
from ingest.application.parking import rejection_of
from ingest.application.ports import Rejection
from ingest.application.sources import SourceMinute
from ingest.domain.decision import Rejected
from ingest.entrypoints.pollers import outcomes, rejections_poller


class Shown:
    """A gauge that remembers."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def set(self, amount: int, attributes: Mapping[str, str]) -> None:
        """The figure of a code."""
        self.codes[attributes["code"]] = amount


def rejected(source: str, code: str, body: bytes) -> Rejection:
    received = Received(format="cloudevent", source=source, body=body, at=START)
    return rejection_of(received, Rejected(code, "It is not in order."), None)


async def test_what_is_open_is_shown_by_code_until_it_is_replayed() -> None:
    table, shown, stop = MemoryRejections(), Shown(), asyncio.Event()
    rows = [
        rejected("a", "invalid_data", b"1"),
        rejected("b", "invalid_data", b"2"),
        rejected("b", "plan", b"3"),
    ]
    await table.add(rows)
    poller = rejections_poller(MemoryRejectionReads(table), ManualClock(), shown)
    running = asyncio.create_task(poller.run(stop))
    await eventually(lambda: shown.codes == {"invalid_data": 2, "plan": 1})

    await table.replayed([each.id for each in rows if each.source == "b"], START)
    poller.wake()
    await eventually(lambda: shown.codes == {"invalid_data": 1, "plan": 0})

    stop.set()
    await running


def test_outcomes_add_up_over_all_sources() -> None:
    minutes = [
        SourceMinute(source="a", minute=START, last_event_at=START, accepted=3, duplicates=1, late=2),
        SourceMinute(source="b", minute=START, last_event_at=START, accepted=4, held=5, rejected=6),
    ]

    assert outcomes(minutes) == {"accepted": 7, "duplicate": 1, "held": 5, "rejected": 6}
