"""Accounts made by chance, but the same in every run: facts of three weeks through the real writer, and who asks about them."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
from fastapi import FastAPI
from tests.integration.health_score.world import World
from tests.support.health_score import EPOCH, event
from tests.support.keys import MemoryKeys

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.rows import ALL_ROWS, Rows
from health_score.adapters.fleet import PostgresFleet
from health_score.adapters.listing import PostgresListing
from health_score.entrypoints.api import create_router
from health_score.entrypoints.export import create_export_router
from health_score.entrypoints.fleet import create_fleet_router

WEEK = timedelta(days=7)
OWNERS, TEAMS, SEGMENTS = ("dana", "eli", "fay"), ("emea", "amer"), ("smb", "enterprise")


@dataclass(repr=False)
class Crowd:
    """The accounts of a world. `told` is what each account's facts said of it."""

    world: World
    keys: MemoryKeys = field(default_factory=MemoryKeys)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - the same in every run

    async def grow(self, many: int) -> None:
        """Half of the accounts two weeks before the end, the rest a few days before it."""
        ids = [f"acct{number:04}" for number in range(many)]
        self.world.clock.set(EPOCH - 2 * WEEK)
        await self.live(ids[: many // 2])
        self.world.clock.set(EPOCH - WEEK / 2)
        await self.live(ids[many // 4 :])
        self.world.clock.set(EPOCH)
        await self.world.tick()

    async def live(self, ids: list[str]) -> None:
        """A few facts about each."""
        for first in range(0, len(ids), 50):
            await self.world.send(*(fact for each in ids[first : first + 50] for fact in self._facts(each)))

    def _facts(self, id: str) -> list[dict[str, Any]]:
        dice, number = self.dice, self.dice.random()
        at = self.world.clock.now() - timedelta(hours=dice.randrange(1, 24 * 20))
        facts = []
        if number < 0.9:
            told = self.told[id] = self._attributes(id)
            facts.append(self.fact(id, "csm.account.changed", told))
        used = {"feature": "login", "user_id": "u"}
        facts += [self.fact(id, "csm.usage.recorded", used, time=at) for _ in range(dice.randrange(3))]
        if dice.random() < 0.4:
            nps = {"kind": "nps", "score": dice.randrange(11)}
            facts.append(self.fact(id, "csm.survey.answered", nps, time=at))
        if dice.random() < 0.1:
            word = {"score": float(dice.randrange(101)), "reason": "we know", "until": EPOCH + 3 * WEEK}
            facts.append(self.fact(id, "csm.override.set", word))
        return facts or [self.fact(id, "acme.seen", {})]

    def _attributes(self, id: str) -> dict[str, Any]:
        dice = self.dice
        told: dict[str, Any] = {"name": f"{dice.choice('=abc')}{id[-2:]}", "owner": dice.choice(OWNERS)}
        told |= {"team": dice.choice(TEAMS), "segment": dice.choice(SEGMENTS)}
        if dice.random() < 0.7:
            told["arr"] = dice.randrange(1, 9) * 1000
        if dice.random() < 0.6:
            told["renewal_date"] = (EPOCH + timedelta(days=dice.randrange(90))).date().isoformat()
        custom = {
            "tier": dice.choice([1, 2, "1"]),
            "tags": dice.sample(["a", "b", "c"], 2),
            "vip": dice.random() < 0.5,
        }
        return told | {"attributes": custom}

    def fact(self, id: str, type: str, data: dict[str, Any], **members: Any) -> dict[str, Any]:
        """A fact at this moment, unless `members` say otherwise."""
        members = {"time": self.world.clock.now()} | members
        return event(f"e{self.dice.getrandbits(60)}", id, type, data, **members)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[httpx.AsyncClient]:
        """The door, with a key for all rows unless a request brings its own."""
        headers = {"Authorization": f"Bearer {self.key()}"}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://health", headers=headers
        ) as client:
            self.client = client
            yield client

    def key(self, rows: Rows = ALL_ROWS) -> str:
        """A key that sees these rows."""
        return self.keys.add("".join(filter(str.isalnum, rows.word())), scopes=["health:read"], rows=rows)

    @contextmanager
    def seeing(self, rows: Rows) -> Iterator[None]:
        """For the length of the block the client has a key for these rows."""
        before = self.client.headers["Authorization"]
        self.client.headers["Authorization"] = f"Bearer {self.key(rows)}"
        try:
            yield
        finally:
            self.client.headers["Authorization"] = before

    @property
    def app(self) -> FastAPI:
        """The routes over this world."""
        parts, clock = self.world.parts, self.world.clock
        lists = PostgresListing(self.world.engine)
        return create_web_app(
            title="health-score",
            description="",
            authenticator=Authenticator(self.keys, clock),
            routers=[
                create_export_router(lists, parts.models, clock),
                create_fleet_router(PostgresFleet(self.world.engine), parts.models, clock),
                create_router(parts.reads, lists, parts.models, clock),
            ],
            ready={},
            alive={},
        )

    async def get(self, path: str, **query: Any) -> Any:
        """The JSON of a good answer."""
        answer = await self.client.get(f"/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def walk(self, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        found, cursor = [], None
        while True:
            more: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
            page = await self.get("accounts", **query, **more)
            found += page["accounts"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    async def stored(self) -> list[dict[str, Any]]:
        """Every account as the tables have it: its snapshot, the measures without data, and its scores so far."""
        rows = await self.world.rows("SELECT account_id, snapshot FROM accounts ORDER BY account_id")
        found = {each: msgspec.json.decode(snapshot) | {"history": []} for each, snapshot in rows}
        for each, at, score in await self.world.rows(
            "SELECT account_id, known_at, score FROM history ORDER BY account_id, revision"
        ):
            found[each]["history"].append((at, score))
        return list(found.values())


def score_at(account: dict[str, Any], at: datetime) -> float | None:
    """The account's score at an instant, by its history."""
    scores: list[tuple[datetime, float | None]] = account["history"]
    return next((score for known_at, score in reversed(scores) if known_at <= at.astimezone(UTC)), None)
