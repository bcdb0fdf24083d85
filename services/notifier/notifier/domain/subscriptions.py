"""Who is told of which change of health: filters, the least change worth telling, and when an endpoint is disabled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from notifier.domain.delivery import Answer
from notifier.domain.notification import Status

Event = Literal["score", "band", "crossing"]
EVENTS: tuple[Event, ...] = ("score", "band", "crossing")

LEAST = 0.01
"""A score that moved by less than this has not changed: time alone moves it by less at every look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a subscriber wants to hear of; an empty tuple is no condition. `min_change` is in points of the score, `bands` are
    those entered; the others look at the account's attributes. `where` is a condition in CEL."""

    events: tuple[Event, ...] = EVENTS
    min_change: float = 1.0
    bands: tuple[str, ...] = ()
    thresholds: tuple[str, ...] = ()
    directions: tuple[Literal["entered", "left"], ...] = ()
    accounts: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An account as its newest snapshot shows it."""

    account_id: str
    score: float | None
    band: str | None
    coverage: float
    attributes: Mapping[str, Any]


Condition = Callable[[Standing], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """A threshold that was entered or left."""

    threshold: str
    direction: str


def about(filters: Filters, standing: Standing, condition: Condition | None) -> bool:
    """Whether the account is one that the subscriber wants to hear of."""
    told = standing.attributes
    return (
        _among(standing.account_id, filters.accounts)
        and _among(told.get("segment"), filters.segments)
        and _among(told.get("plan"), filters.plans)
        and _among(told.get("owner"), filters.owners)
        and _among(told.get("team"), filters.teams)
        and (condition is None or condition(standing))
    )


def wants_crossing(filters: Filters, crossed: Crossed) -> bool:
    """Whether this crossing is wanted, of whatever account."""
    return (
        "crossing" in filters.events
        and _among(crossed.threshold, filters.thresholds)
        and _among(crossed.direction, filters.directions)
    )


def wants_band(filters: Filters, before: str | None, after: str | None) -> bool:
    """Whether this change of band is wanted, of whatever account."""
    return "band" in filters.events and before != after and _among(after, filters.bands)


def moved_enough(told: float | None, after: float | None, least: float) -> bool:
    """Whether the score is far enough from the one that the subscriber knows; one that appears or disappears always is."""
    if told is None or after is None:
        return told is not after
    return abs(after - told) >= max(least, LEAST)


def _among(value: object, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableRules:
    """When an endpoint is given up: no attempt succeeded for `after`, or `given_up` deliveries in a row were given up."""

    after: timedelta = timedelta(days=3)
    given_up: int = 50


@dataclass(frozen=True, slots=True)
class Fitness:
    """Since when every attempt has failed, and how many deliveries in a row were given up."""

    failing_since: datetime | None = None
    given_up: int = 0


def after_attempt(
    known: Fitness, status: Status, answer: Answer, now: datetime, rules: DisableRules
) -> tuple[Fitness, str | None]:
    """How fit the endpoint is after an answer, and why it is to be disabled, where it is."""
    if answer.outcome == "accepted":
        return Fitness(), None
    if answer.outcome == "unknown" and not answer.fault:
        return known, None  # we broke it off ourselves, as the service stops
    fitness = Fitness(known.failing_since or now, known.given_up + (status is Status.FAILED))
    return fitness, _disabled(fitness, answer, now, rules)


def _disabled(fitness: Fitness, answer: Answer, now: datetime, rules: DisableRules) -> str | None:
    if answer.gone:
        return f"the endpoint wants no more: {answer.detail}"
    if fitness.failing_since is not None and now - fitness.failing_since >= rules.after:
        return f"every attempt has failed since {fitness.failing_since:%Y-%m-%d %H:%M} UTC: {answer.detail}"
    if fitness.given_up >= rules.given_up:
        return f"{fitness.given_up} deliveries in a row were given up: {answer.detail}"
    return None
