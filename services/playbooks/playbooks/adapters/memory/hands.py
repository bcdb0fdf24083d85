"""What workers have in hand, and how fresh the projection is, in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from playbooks.adapters.memory.state import Hand, State


class MemoryHands:
    """Implements ports.Hands."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._hands = state.hands

    async def hold(self, worker: str, runs: Sequence[str], until: datetime) -> None:
        """The worker begins with these."""
        self._hands.put(worker, Hand(runs=list(runs), until=until))

    async def release(self, worker: str) -> None:
        """It is done."""
        if worker in self._hands:
            self._hands.drop(worker)

    async def abandoned(self, now: datetime) -> Sequence[Sequence[str]]:
        """What those had in hand whose time is over, each once."""
        dead = sorted(worker for worker, hand in self._hands.items() if hand.until < now)
        return [self._hands.drop(worker).runs for worker in dead]

    async def suspect(self, groups: Sequence[Sequence[str]]) -> None:
        """Each group is taken by itself, until its runs have ended a step."""
        for group in groups:
            name = str(uuid4())
            for each in group:
                run = self._state.runs.get(each)
                if run is not None and run.status == "active":
                    self._state.suspects.put(each, name)


class MemoryFreshness:
    """Implements ports.Freshness."""

    def __init__(self, state: State) -> None:
        self._freshness = state.freshness

    async def mark(self, read: Mapping[int, datetime]) -> None:
        """Of each partition all was read that was told by then."""
        for partition, at in read.items():
            self._freshness.put(partition, max(at, self._freshness.get(partition, at)))

    async def oldest(self) -> datetime | None:
        """When the partition that is furthest behind was last up to date."""
        return min(self._freshness.values(), default=None)
