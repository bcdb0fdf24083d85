"""Tells the demo to a running stack: the history at once and as a backfill, then the minute as it passes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

import httpx
import typer

from csm_cli.demo.cast import CAST, Account
from csm_cli.demo.facts import DemoFact, cloud_event
from csm_cli.demo.history import DAYS, history
from csm_cli.demo.script import scenes
from csm_cli.importing.door import Door, connect
from csm_cli.importing.pipeline import Sink
from csm_cli.importing.report import once
from csm_common.clock import Clock, SystemClock
from csm_common.errors import FatalError

BATCH = 500
Say = Callable[[str], None]
Sleep = Callable[[float], Awaitable[None]]


async def load(stack: Mapping[str, Any], say: Say = typer.echo) -> None:
    """Load the demo into the stack that `stack` describes; takes about a minute, and `say` is told what happens.

    Nothing happens when the demo customers are known already. A load that was cut short is begun again: its history
    has the same ids all day, so nothing doubles. TransientError or PermanentError when ingest does not take it.
    """
    async with connect() as client:
        if await is_loaded(client, stack):
            say("The demo customers are there already.")
            return
        ingest = stack["ingest"]
        door = Door(client, ingest["url"], ingest["write_key"], waiting=once(say))
        await tell(door, SystemClock(), asyncio.sleep, say)


async def tell(door: Sink, clock: Clock, sleep: Sleep, say: Say) -> None:
    """The whole demo, beginning now."""
    start = clock.now()
    told = list(chain.from_iterable(history(each, start) for each in CAST))
    say(f"Telling {DAYS} days of history of {len(CAST)} customers: {len(told):,} events.")
    await _send(door, (_event(each, start, backfill=True) for each in told))
    await _send(door, (_event(_ended(each, start), start, backfill=False) for each in CAST))
    say("Now a minute in the life of them.")
    for scene in scenes(start):
        await sleep(max(0.0, scene.at_s - (clock.now() - start).total_seconds()))
        await _send(door, (_event(each, start, backfill=False) for each in scene.facts))
        if scene.line:
            say(f"  {scene.line}")


async def is_loaded(client: httpx.AsyncClient, stack: Mapping[str, Any]) -> bool:
    """Whether the customer that is told last is known."""
    url = f"{stack['health_score']['url']}/v1/accounts/{CAST[-1].id}"
    answer = await client.get(url, headers={"authorization": f"Bearer {stack['api_key']}"})
    if answer.status_code == httpx.codes.NOT_FOUND:
        return False
    answer.raise_for_status()
    return True


async def _send(door: Sink, events: Iterable[bytes]) -> None:
    left = iter(events)
    while some := list(islice(left, BATCH)):
        _check(await door.send(some))


def _check(refused: Sequence[Any]) -> None:
    if refused:
        raise FatalError(f"Ingest refused {len(refused)} events of the demo; the first: {refused[0].message}")


def _event(fact: DemoFact, start: datetime, *, backfill: bool) -> bytes:
    return cloud_event(fact, start.date().isoformat(), backfill=backfill)


def _ended(account: Account, start: datetime) -> DemoFact:
    return DemoFact(account.id, "csm.backfill.ended", start.isoformat(), start, {"import_id": "demo"})
