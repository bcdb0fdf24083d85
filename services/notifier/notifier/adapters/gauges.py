"""What an operator watches of the notifier, looked up now and then: the same from every replica but for the endpoints at rest."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.telemetry import metrics
from notifier.adapters.dead_letters import CODE, DEAD

LATELY = timedelta(hours=1)
"""So long a dead letter is counted as new."""

# What is in somebody's hands is due when the lease runs out.
_DUE = text("SELECT min(wake_at) FROM notifications WHERE wake_at <= :now")

_DIED = text(f"""
SELECT n.channel, {CODE} AS code, count(*) AS number FROM notifications n WHERE {DEAD} AND n.finished_at > :since GROUP BY 1, 2
""")  # noqa: S608  (constants)

# Whoever is disabled by hand while well has failed at nothing.
_GIVEN_UP = text("SELECT count(*) FROM subscriptions WHERE status = 'disabled' AND failing_since IS NOT NULL")

Labels = tuple[tuple[str, str], ...]


class Gauge(Protocol):
    """A figure that goes up and down, perhaps one for each of some labels."""

    def set(self, amount: float, attributes: Mapping[str, str]) -> None:
        """This is the figure now."""
        ...


class Gauges:
    """`show` sets them all."""

    def __init__(
        self,
        engine: AsyncEngine,
        resting: Callable[[datetime], Collection[str]],
        *,
        due_age: Gauge = metrics.notifications_due_age,
        died: Gauge = metrics.notifications_died,
        rests: Gauge = metrics.endpoints_resting,
        given_up: Gauge = metrics.feed_given_up,
    ) -> None:
        """`resting` tells which endpoints this process leaves alone just now."""
        self._engine = engine
        self._resting = resting
        self._due_age = due_age
        self._died = _Shown(died)
        self._rests = _Shown(rests)
        self._given_up = given_up

    async def show(self, now: datetime) -> None:
        """Look everything up. What is not there any more is shown as 0."""
        self._rests.show({(("endpoint", each),): 1 for each in self._resting(now)})
        async with self._engine.connect() as tx:
            oldest = await tx.scalar(_DUE, {"now": now})
            died = (await tx.execute(_DIED, {"since": now - LATELY})).all()
            given_up = await tx.scalar(_GIVEN_UP)
        self._due_age.set((now - oldest).total_seconds() if oldest else 0.0, {})
        self._died.show({_labels(row): row.number for row in died})
        self._given_up.set(int(given_up), {})


class _Shown:
    """A gauge, and the labels it was ever set with."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._known: set[Labels] = set()

    def show(self, figures: Mapping[Labels, int]) -> None:
        self._known.update(figures)
        for labels in self._known:
            self._gauge.set(figures.get(labels, 0), dict(labels))


def _labels(row: Any) -> Labels:
    return (("channel", row.channel), ("code", row.code))
