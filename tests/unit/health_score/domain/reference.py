"""What each signal means, written to be read: the whole list of facts, looked at from `now`, without any state kept."""

import math
from collections.abc import Sequence

from health_score.domain.fact import Fact
from health_score.domain.signals import Count, Latest, Mean, Open, Recency, Sum, Until
from health_score.domain.signals.until import moment

DAY = 86_400.0


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
    told = [each for each in facts if any(each.data.get(name) is not None for name in signal.fields)]
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
