"""Sixty days of history of an account: the same every time for the same day, from a generator seeded by the account."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from csm_cli.demo.cast import Account
from csm_cli.demo.facts import DemoFact

DAYS = 60
FEATURES = ("dashboards", "reports", "exports", "alerts", "api", "sharing")
WEEKEND = 5
BILLING_DAYS = (60, 30)


def history(account: Account, now: datetime) -> list[DemoFact]:
    """All facts up to `now`, in order of time. Everything but the last use depends on the day of `now` only."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    facts = [
        *_what_it_is(account, day),
        *_usage(account, day, now),
        *_invoices(account, day),
        *_support(account, day),
        *_opinions(account, day),
    ]
    return sorted(facts, key=lambda each: each.time)


def _what_it_is(account: Account, day: datetime) -> Iterator[DemoFact]:
    began = day - timedelta(days=DAYS)
    renewal = (day + timedelta(days=account.renewal_in_days)).date()
    profile = {
        "name": account.name,
        "plan": account.plan,
        "segment": account.segment,
        "region": account.region,
    }
    money = {"arr": account.arr, "currency": "EUR", "renewal_date": renewal}
    seats = {} if account.spare_seats is None else {"seats": account.users + account.spare_seats}
    owner = account.owner
    yield DemoFact(
        account.id,
        "csm.account.changed",
        "profile",
        began,
        profile | money | seats | {"owner": owner.id, "stage": "customer"},
    )
    yield DemoFact(
        account.id,
        "csm.contact.changed",
        "owner",
        began,
        {"contact_id": owner.id, "role": "owner", "active": True, "name": owner.name, "email": owner.email},
    )
    yield DemoFact(
        account.id,
        "csm.subscription.changed",
        "subscription",
        began,
        {
            "subscription_id": f"{account.id}-1",
            "status": "active",
            "plan": account.plan,
            "mrr": round(account.arr / 12, 2),
            "currency": "EUR",
            "term_end": renewal,
            "auto_renew": True,
        }
        | seats,
    )


def _usage(account: Account, day: datetime, now: datetime) -> Iterator[DemoFact]:
    random = Random(account.id)  # noqa: S311 - the same story each time is the point
    for ago in range(DAYS, int(account.last_use_days) + 1, -1):
        date = day - timedelta(days=ago)
        share = 0.2 if date.weekday() >= WEEKEND else 1.0
        for number in range(round(account.uses_a_day * share * random.uniform(0.6, 1.4))):
            time = date + timedelta(hours=8, seconds=random.randrange(10 * 3600))
            yield _use(account, f"{ago}-{number}", time, random)
    last = now - timedelta(days=account.last_use_days)
    yield _use(account, last.isoformat(), last, random)


def _use(account: Account, name: str, time: datetime, random: Random) -> DemoFact:
    data = {"feature": random.choice(FEATURES), "user_id": f"u{random.randrange(account.users) + 1}"}
    return DemoFact(account.id, "csm.usage.recorded", name, time, data)


def _invoices(account: Account, day: datetime) -> Iterator[DemoFact]:
    for ago in BILLING_DAYS if account.last_invoice else ():
        status = account.last_invoice if ago == BILLING_DAYS[-1] else "paid"
        yield invoice(account, day - timedelta(days=ago), status, name=f"{ago}")


def invoice(account: Account, time: datetime, status: str, *, name: str) -> DemoFact:
    """An invoice of a month; the same `name` is the same invoice, in each of its states."""
    data = {
        "invoice_id": f"{account.id}-{name}",
        "status": status,
        "amount": round(account.arr / 12, 2),
        "currency": "EUR",
        "due": (time + timedelta(days=14)).date(),
    }
    return DemoFact(account.id, "csm.invoice.changed", f"{name}-{status}", time, data)


def _support(account: Account, day: datetime) -> Iterator[DemoFact]:
    if account.csat is None:
        return
    opened = day - timedelta(days=25)
    yield ticket(account, opened, "normal", "open", name="setup")
    yield ticket(account, opened + timedelta(days=1), "normal", "solved", name="setup")
    answer = {"kind": "csat", "score": account.csat, "touchpoint": "support"}
    yield DemoFact(account.id, "csm.survey.answered", "csat", opened + timedelta(days=2), answer)
    for number, priority in enumerate(account.open_tickets):
        time = day - timedelta(days=3, hours=number)
        yield ticket(account, time, priority, "open", name=f"trouble-{number}", escalated=True)


def ticket(
    account: Account, time: datetime, priority: str, status: str, *, name: str, escalated: bool = False
) -> DemoFact:
    """A support ticket; the same `name` is the same ticket, in each of its states."""
    data = {
        "ticket_id": f"{account.id}-{name}",
        "status": status,
        "priority": priority,
        "escalated": escalated,
        "topic": "import" if name == "setup" else "performance",
    }
    return DemoFact(account.id, "csm.ticket.changed", f"{name}-{status}", time, data)


def _opinions(account: Account, day: datetime) -> Iterator[DemoFact]:
    if account.nps is not None:
        yield nps(account, day - timedelta(days=20), account.nps)
    if account.sentiment is not None:
        yield sentiment(account, day - timedelta(days=10), account.sentiment)
        meeting = {"touchpoint": "quarterly review", "channel": "video", "direct": True, "proactive": True}
        yield DemoFact(account.id, "csm.touchpoint.occurred", "review", day - timedelta(days=10), meeting)


def nps(account: Account, time: datetime, score: int) -> DemoFact:
    """An answer to "would you recommend us", 0…10."""
    data = {"kind": "nps", "score": score, "view": "customer"}
    return DemoFact(account.id, "csm.survey.answered", f"nps-{time.isoformat()}", time, data)


def sentiment(account: Account, time: datetime, value: int) -> DemoFact:
    """What the CS manager feels, 0…100."""
    data = {"sentiment": value}
    return DemoFact(account.id, "csm.sentiment.recorded", time.isoformat(), time, data)
