"""The minute after the history: what happens live, to whom and when, so that scores move and mails go out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from csm_cli.demo.cast import (
    BLUEPEAK,
    CINDER,
    HARBOR,
    LUMEN,
    MERIDIAN,
    ORCHARD,
    QUILL,
    SILENCE_AFTER_S,
    SPARROW,
    TANDEM,
    ZEPHYR,
    Account,
)
from csm_cli.demo.facts import DemoFact
from csm_cli.demo.history import FEATURES, invoice, nps, sentiment, ticket

BUSY = (HARBOR, TANDEM, QUILL, MERIDIAN, SPARROW, ZEPHYR)
BUSY_UNTIL_S = 60
BUSY_EVERY_S = 2


@dataclass(frozen=True, slots=True)
class Scene:
    """Facts that happen together, `at_s` seconds after the history; `line` tells what a person should look for."""

    at_s: float
    facts: Sequence[DemoFact]
    line: str = ""


def scenes(start: datetime) -> list[Scene]:
    """All scenes of the minute that begins at `start`, in order."""
    told = [Scene(at, facts(start + timedelta(seconds=at)), line) for at, line, facts in _STORY]
    return sorted(told + _busy(start), key=lambda each: each.at_s)


def _bluepeak_complains(time: datetime) -> list[DemoFact]:
    return [nps(BLUEPEAK, time, 2), sentiment(BLUEPEAK, time, 20)]


def _orchard_returns(time: datetime) -> list[DemoFact]:
    return [invoice(ORCHARD, time, "paid", name="30"), nps(ORCHARD, time, 9), *_uses(ORCHARD, time, 12)]


def _cinder_fails(time: datetime) -> list[DemoFact]:
    unpaid = [invoice(CINDER, time, "failed", name=each) for each in ("30", "60")]
    return [*unpaid, nps(CINDER, time, 0), sentiment(CINDER, time, 10)]


def _lumen_returns(time: datetime) -> list[DemoFact]:
    return [*_solved(LUMEN, time), *_uses(LUMEN, time, 8)]


def _busy(start: datetime) -> list[Scene]:
    times = [(at, start + timedelta(seconds=at)) for at in range(1, BUSY_UNTIL_S, BUSY_EVERY_S)]
    return [Scene(at, _uses(BUSY[number % len(BUSY)], time, 2)) for number, (at, time) in enumerate(times)]


def _trouble(account: Account, time: datetime, tickets: int) -> list[DemoFact]:
    return [
        ticket(account, time, "urgent", "open", name=f"live-{number}", escalated=True)
        for number in range(tickets)
    ]


def _solved(account: Account, time: datetime) -> list[DemoFact]:
    return [
        ticket(account, time, priority, "solved", name=f"trouble-{number}")
        for number, priority in enumerate(account.open_tickets)
    ]


def _uses(account: Account, time: datetime, count: int) -> list[DemoFact]:
    return [
        DemoFact(
            account.id,
            "csm.usage.recorded",
            f"{time.isoformat()}-{number}",
            time,
            {"feature": FEATURES[number % len(FEATURES)], "user_id": f"u{number % account.users + 1}"},
        )
        for number in range(count)
    ]


_STORY: tuple[tuple[float, str, Callable[[datetime], list[DemoFact]]], ...] = (
    (4, "Bluepeak Analytics escalates three urgent tickets.", lambda time: _trouble(BLUEPEAK, time, 3)),
    (
        10,
        "Bluepeak answers the survey with a 2: it becomes at risk, and Dana gets a mail.",
        _bluepeak_complains,
    ),
    (
        14,
        "Orchard Health, at risk since before: its tickets are solved.",
        lambda time: _solved(ORCHARD, time),
    ),
    (18, "Orchard pays, praises and is back at work: it recovers.", _orchard_returns),
    (24, "Cinder Foods has four urgent tickets at once.", lambda time: _trouble(CINDER, time, 4)),
    (30, "Cinder's payments fail, and it is angry: it becomes critical, a task for Ines.", _cinder_fails),
    (36, "Lumen Studio comes back after two weeks: it recovers.", _lumen_returns),
    (SILENCE_AFTER_S, "Fable Freight becomes at risk now, by silence alone: no event says so.", lambda _: []),
    (46, "Sparrow Games: a payment fails.", lambda time: [invoice(SPARROW, time, "failed", name="0")]),
    (54, "Lumen is happy again.", lambda time: [nps(LUMEN, time, 9), sentiment(LUMEN, time, 80)]),
)
