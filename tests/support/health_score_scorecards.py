"""Scorecards in memory, and what every store of them has to keep."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.clock import START

from health_score.application.model_ports import ModelChange, StoredCard
from health_score.application.scorecard_ports import ScorecardStore, ScorecardTransaction, TakingUp


class MemoryScorecards:
    """ScorecardStore in memory, and its own transaction; what a failed one did is undone."""

    def __init__(self) -> None:
        self.kept: list[StoredCard] = []
        self.told: list[ModelChange] = []
        self.accounts: dict[str, dict[str, Any]] = {}

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ScorecardTransaction]:
        """Itself."""
        yield self

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[ScorecardTransaction]:
        """Itself."""
        before = list(self.kept), list(self.told)
        try:
            yield self
        except BaseException:
            self.kept, self.told = before
            raise

    async def cards(self, name: str | None = None) -> list[StoredCard]:
        """By name and version."""
        found = [each for each in self.kept if name in (None, each.name)]
        return sorted(found, key=lambda each: (each.name, each.version))

    async def changes(self) -> list[ModelChange]:
        """Oldest first."""
        return list(self.told)

    async def add(self, card: StoredCard) -> None:
        """Keep."""
        self.kept.append(card)

    async def change(self, change: ModelChange) -> int:
        """Number it."""
        self.told.append(replace(change, number=len(self.told) + 1))
        return len(self.told)

    async def taking_up(self, model: int) -> TakingUp:
        """Nobody judges anything here."""
        return TakingUp(0, 0, (), len(self.accounts), 0)

    async def attributes(self, after: str, limit: int) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """In the order of ids."""
        return sorted(each for each in self.accounts.items() if each[0] > after)[:limit]


def stored(name: str, version: int, document: str = "x", at: datetime = START) -> StoredCard:
    """A version by `tests`."""
    return StoredCard(
        name=name, version=version, document=document, author="tests", note=f"{name} {version}", created_at=at
    )


def activated(name: str, version: int | None, at: datetime = START) -> ModelChange:
    """A version goes into force; without one the scorecard is retired."""
    kind = "retire" if version is None else "activate"
    return ModelChange(number=0, kind=kind, name=name, version=version, actor="tests", note="", at=at)  # type: ignore[arg-type]


class StoreContract:
    """What every ScorecardStore has to keep; a subclass gives it as the fixture `store`, empty."""

    @pytest.fixture
    def store(self) -> ScorecardStore:
        """The store to try."""
        raise NotImplementedError

    async def test_versions_come_back_by_name_and_number(self, store: ScorecardStore) -> None:
        cards = [stored("b", 2, "two\nlines: é"), stored("a", 10), stored("b", 1), stored("a", 9)]
        async with store.changing() as tx:
            for each in cards:
                await tx.add(each)
        async with store.reading() as tx:
            assert await tx.cards() == [cards[3], cards[1], cards[2], cards[0]]
            assert await tx.cards("b") == [cards[2], cards[0]]
            assert await tx.cards("c") == []

    async def test_changes_are_numbered_in_their_order(self, store: ScorecardStore) -> None:
        told = [
            activated("a", 1),
            replace(activated("a", 2, START + timedelta(hours=1)), outreach=True, note="why"),
            activated("a", None, START + timedelta(hours=2)),
        ]
        async with store.changing() as tx:
            numbers = [await tx.change(each) for each in told]
        assert numbers == sorted(set(numbers))
        async with store.reading() as tx:
            assert await tx.changes() == [
                replace(each, number=n) for n, each in zip(numbers, told, strict=True)
            ]

    async def test_what_fails_changes_nothing(self, store: ScorecardStore) -> None:
        async def fail() -> None:
            async with store.changing() as tx:
                await tx.add(stored("a", 1))
                await tx.change(activated("a", 1))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fail()
        async with store.reading() as tx:
            assert (await tx.cards(), await tx.changes()) == ([], [])

    async def test_where_there_are_no_accounts_there_is_nothing_to_take_up(
        self, store: ScorecardStore
    ) -> None:
        async with store.reading() as tx:
            assert await tx.taking_up(3) == TakingUp(0, 0, (), 0, 0)
            assert list(await tx.attributes("", 5)) == []
