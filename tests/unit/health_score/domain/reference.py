"""What each signal means, written to be read: the whole list of facts, looked at from `now`, without any state kept."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from health_score.domain.fact import Fact
from health_score.domain.signals import (
    ActiveUsers,
    AnyReader,
    Attainment,
    Count,
    Latest,
    Mean,
    Open,
    Ratio,
    Recency,
    Sum,
    Trend,
    Until,
)
from health_score.domain.signals.selector import number
from health_score.domain.signals.until import moment

DAY = 86_400.0
AS_GOOD_AS_ZERO = 1e-9


def number_of(reader: AnyReader, facts: Sequence[Fact], now: float) -> float | None:
    """What a measure reads at `now` of an account of which these are all facts; None where it is unknown."""
    if isinstance(reader, Ratio):
        return ratio(reader, facts, now)
    mine = [each for each in facts if each.type in reader.select.types and reader.select.matches(each.data)]
    return MEANINGS[type(reader)](reader, mine, now)


def _faded(age: float, half_life_days: float) -> float:
    return math.pow(0.5, age / DAY / half_life_days)


def total(signal: Sum | Count, facts: Sequence[Fact], now: float) -> float | None:
    """Every amount, halved once per half-life of its age."""
    amounts = [(each.time, signal.select.read(each)) for each in facts]
    known = [(time, amount) for time, amount in amounts if amount is not None]
    if not known:
        return None
    return sum(amount * _faded(now - time, signal.half_life_days) for time, amount in known)


def mean(signal: Mean, facts: Sequence[Fact], now: float) -> float | None:
    """The average, each number weighing half as much per half-life of its age."""
    numbers = [(each.time, signal.select.read(each)) for each in facts]
    weighed = [
        (number, _faded(now - time, signal.half_life_days)) for time, number in numbers if number is not None
    ]
    weight = sum(each for _, each in weighed)
    if not weighed or weight <= signal.min_weight:
        return None
    return sum(number * each for number, each in weighed) / weight


def recency(signal: Recency, facts: Sequence[Fact], now: float) -> float | None:
    """Days since the latest match."""
    times = [each.time for each in facts if signal.select.matches(each.data)]
    return max(0.0, now - max(times)) / DAY if times else None


def latest(signal: Latest, facts: Sequence[Fact], now: float) -> float | None:
    """The number of the latest match."""
    matches = [each for each in facts if signal.select.read(each) is not None]
    if not matches:
        return None
    newest = max(matches, key=lambda each: (each.time, each.id))
    if signal.expires_days is not None and now - newest.time >= signal.expires_days * DAY:
        return None
    return signal.select.read(newest)


def until(signal: Until, facts: Sequence[Fact], now: float) -> float | None:
    """Days to the date that the newest fact with a date tells."""
    field = signal.select.value or ""
    dated = [each for each in facts if moment(each.data.get(field)) is not None]
    if not dated:
        return None
    date = moment(max(dated, key=lambda each: (each.time, each.id)).data[field])
    return None if date is None else (date - now) / DAY


def open_items(signal: Open, facts: Sequence[Fact], now: float) -> float | None:
    """The weights of all items that are open, as long as nothing is old enough to be forgotten."""
    told = [
        each
        for each in facts
        if isinstance(each.data.get(signal.item), str)
        and any(each.data.get(name) is not None for name in signal.fields)
    ]
    if not told:
        return None
    items = {each.data[signal.item] for each in told}
    weights = [_weight(signal, [each for each in told if each.data[signal.item] == item]) for item in items]
    if any(weight is not None for weight in weights):
        return sum(weight for weight in weights if weight is not None)
    silent = now - max(each.time for each in told)
    expired = signal.expires_days is not None and silent >= signal.expires_days * DAY
    return None if expired else 0.0


def _weight(signal: Open, facts: Sequence[Fact]) -> float | None:
    """The weight of one item; None if it is not open."""
    known: dict[str, object] = {}
    for each in sorted(facts, key=lambda each: (each.time, each.id)):
        if any(each.data.get(name) not in (None, *values) for name, values in signal.open_when.items()):
            known = {}
        else:
            known |= {name: each.data[name] for name in signal.fields if each.data.get(name) is not None}
    if any(name not in known for name in signal.open_when):
        return None
    weight = 1.0
    for name, factors in signal.weights.items():
        weight *= {**factors}.get(known.get(name), 1.0)  # type: ignore[call-overload]
    return weight


def trend(signal: Trend, facts: Sequence[Fact], now: float) -> float | None:
    """The recent rate against the usual one, each corrected for how much of its past there is."""
    amounts = [(each.time, signal.select.read(each)) for each in facts]
    known = [(time, amount) for time, amount in amounts if amount is not None and amount > 0]
    if not known:
        return None
    age = now - min(time for time, _ in known)
    mature_days = signal.slow_days if signal.mature_days is None else signal.mature_days
    if age < mature_days * DAY:
        return None

    def rate(half_life_days: float) -> float:
        total = sum(amount * _faded(now - time, half_life_days) for time, amount in known)
        return total / half_life_days / (1.0 - _faded(age, half_life_days))

    usual = rate(signal.slow_days)
    return rate(signal.fast_days) / usual if usual > 0 else None


def active_users(signal: ActiveUsers, facts: Sequence[Fact], now: float) -> float | None:
    """One for everybody active, halved per half-life since then. Exact, whatever the signal's limit is."""
    newest: dict[str, float] = {}
    for each in facts:
        user = each.data.get(signal.item)
        if isinstance(user, str) and user:
            newest[user] = max(newest.get(user, -math.inf), each.time)
    return sum(_faded(now - time, signal.half_life_days) for time in newest.values()) if newest else None


def attainment(signal: Attainment, facts: Sequence[Fact], now: float) -> float | None:
    """The weighed mean of what each goal has attained."""
    goals: dict[str, list[Fact]] = {}
    for each in facts:
        name = each.data.get(signal.item)
        if isinstance(name, str):
            goals.setdefault(name, []).append(each)
    weighed = [(_told(told, "weight", 1.0), _attained(signal, told, now)) for told in goals.values()]
    total = sum(weight for weight, _ in weighed if weight > 0)
    if total == 0:
        return None
    silent = now - max(each.time for told in goals.values() for each in told)
    if signal.expires_days is not None and silent >= signal.expires_days * DAY:
        return None
    return sum(weight * attained for weight, attained in weighed if weight > 0) / total


def _told(facts: Sequence[Fact], name: str, otherwise: float) -> float:
    """What the newest fact that tells a number under this name tells; `otherwise` where none does."""
    telling = [each for each in facts if _number(each, name) is not None]
    if not telling:
        return otherwise
    told = _number(max(telling, key=lambda each: (each.time, each.id)), name)
    assert told is not None
    return told


def _number(fact: Fact, name: str) -> float | None:
    value = fact.data.get(name)
    return moment(value) if name in ("start", "due") else number(value)


def _attained(signal: Attainment, facts: Sequence[Fact], now: float) -> float:
    """1 - what is missing to the plan, less what the customer has not confirmed."""
    confirmed = _told(facts, "confirmed_by_customer", 0.0) > 0
    worth = 1.0 if confirmed else signal.unconfirmed
    target, current, expected = (_told(facts, name, math.nan) for name in ("target", "current", "expected"))
    if math.isnan(target) or math.isnan(current):
        return 1.0 if confirmed else 0.0
    baseline = _told(facts, "baseline", 0.0)

    def progress(value: float) -> float:
        if target == baseline:
            return 1.0 if value >= target else 0.0
        return min(1.0, max(0.0, (value - baseline) / (target - baseline)))

    start, due = _told(facts, "start", min(each.time for each in facts)), _told(facts, "due", -math.inf)
    planned = 1.0
    if not signal.whole and not math.isnan(expected):
        planned = progress(expected)
    elif not signal.whole and due > start:
        planned = min(1.0, (now - start) / (due - start))
    return worth * (1.0 - max(0.0, planned - progress(current)))


def ratio(signal: Ratio, facts: Sequence[Fact], now: float) -> float | None:
    """One against the other. What fades never reaches 0, but what stands still may be as good as that."""
    of, to = number_of(signal.of, facts, now), number_of(signal.to, facts, now)
    nothing = 0.0 if isinstance(signal.to, (Count, Sum, ActiveUsers)) else AS_GOOD_AS_ZERO
    return None if of is None or to is None or abs(to) <= nothing else of / to


MEANINGS: Mapping[type, Callable[[Any, Sequence[Fact], float], float | None]] = {
    Count: total,
    Sum: total,
    Mean: mean,
    Trend: trend,
    ActiveUsers: active_users,
    Recency: recency,
    Latest: latest,
    Open: open_items,
    Until: until,
    Attainment: attainment,
}
