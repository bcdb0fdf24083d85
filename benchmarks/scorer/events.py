"""The facts that are scored: accounts of a large customer with all types of facts, and accounts with one fact each."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database.outbox import Message

ACCOUNTS = 500
SEGMENT = "enterprise"
"""Which scorecard is measured: health-score takes the first whose condition holds, and the accounts tell this segment."""

_DAYS = 28


def mix(events: int) -> Iterator[Message]:
    """So many facts of 500 accounts, each beginning with its attributes, in the order of time over four weeks."""
    now = datetime.now(UTC)
    for number in range(events):
        time = now - timedelta(days=_DAYS) * (1 - number / events)
        account, turn = number % ACCOUNTS, number // ACCOUNTS
        type_, data = ("account.changed", attributes(now)) if turn == 0 else _fact(account, turn, now)
        yield message(f"mix-{number}", f"acct-{account}", type_, data, time)


def one_each(accounts: int, round_: int) -> Iterator[Message]:
    """One fact of each account: its attributes in round 0, a use in each later one."""
    now = datetime.now(UTC)
    for number in range(accounts):
        type_, data = (
            ("usage.recorded", _usage(number, round_)) if round_ else ("account.changed", attributes(now))
        )
        yield message(f"each-{round_}-{number}", f"single-{number}", type_, data, now)


def message(id_: str, account: str, type_: str, data: dict[str, Any], time: datetime) -> Message:
    """The fact on its topic."""
    event = {"specversion": "1.0", "id": id_, "source": "/benchmark", "type": f"csm.{type_}"}
    value = msgspec.json.encode({**event, "subject": account, "time": time, "data": data})
    return Message(CUSTOMER_EVENTS.name, account.encode(), value)


def attributes(now: datetime) -> dict[str, Any]:
    """Of an account as its CRM tells them."""
    renewal = (now + timedelta(days=200)).date().isoformat()
    return {"segment": SEGMENT, "arr": 120_000, "currency": "EUR", "seats": 120, "renewal_date": renewal}


def _fact(account: int, turn: int, now: datetime) -> tuple[str, dict[str, Any]]:
    """What an account does in its turn: four times in five somebody uses something. Its own place in the cycle keeps the
    accounts from doing all the same at the same time."""
    step = (turn + account * 7) % len(_CYCLE)
    type_, data = _CYCLE[step]
    return type_, data(turn, now)


def _usage(turn: int, _: object = None) -> dict[str, Any]:
    return {"feature": f"feature-{turn % 12}", "user_id": f"user-{turn * 31 % 97}"}


def _ticket(turn: int, _: datetime) -> dict[str, Any]:
    status = ("open", "pending", "solved")[turn % 3]
    priority = ("low", "normal", "high", "urgent")[turn % 4]
    return {"ticket_id": f"t{turn % 9}", "status": status, "priority": priority, "escalated": turn % 5 == 0}


def _survey(turn: int, _: datetime) -> dict[str, Any]:
    nps = {"kind": "nps", "score": turn % 11, "scale_max": 10}
    csat = {"kind": "csat", "score": turn % 5 + 1, "scale_max": 5}
    return {**(nps if turn % 2 else csat), "respondent_id": f"user-{turn % 97}"}


def _invoice(turn: int, now: datetime) -> dict[str, Any]:
    status = ("open", "paid", "overdue", "failed")[turn % 4]
    due = now.date().isoformat()
    return {"invoice_id": f"i{turn % 6}", "status": status, "amount": 10_000, "currency": "EUR", "due": due}


def _goal(turn: int, now: datetime) -> dict[str, Any]:
    due = (now + timedelta(days=60)).date().isoformat()
    return {
        "goal_id": f"g{turn % 3}",
        "title": "Live in every region",
        "baseline": 0,
        "target": 100,
        "current": turn % 101,
        "due": due,
    }


def _touchpoint(turn: int, _: datetime) -> dict[str, Any]:
    channel = ("call", "meeting", "email")[turn % 3]
    return {
        "touchpoint": f"review-{turn % 4}",
        "channel": channel,
        "direct": True,
        "proactive": turn % 2 == 0,
    }


def _sentiment(turn: int, _: datetime) -> dict[str, Any]:
    return {"sentiment": turn * 13 % 101}


_Data = Callable[[int, datetime], dict[str, Any]]
_RARE: list[tuple[str, _Data]] = [
    ("ticket.changed", _ticket),
    ("survey.answered", _survey),
    ("ticket.changed", _ticket),
    ("invoice.changed", _invoice),
    ("goal.changed", _goal),
    ("ticket.changed", _ticket),
    ("survey.answered", _survey),
    ("touchpoint.occurred", _touchpoint),
    ("ticket.changed", _ticket),
    ("sentiment.recorded", _sentiment),
]
# Four uses before each of the ten others: 80 %.
_CYCLE = [each for rare in _RARE for each in (*[("usage.recorded", _usage)] * 4, rare)]
