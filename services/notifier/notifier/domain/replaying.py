"""Sending dead letters anew: which may go, and each at its own instant, so that nobody is flooded by what had piled up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Literal

from notifier.domain.notification import Status

RefusalCode = Literal["unknown_id", "not_dead", "expired", "erased"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A message that somebody wants to be sent anew. `erased`: what it said is not there any more."""

    id: str
    status: Status
    expires_at: datetime | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """When a message is to be tried again."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message stays where it is, and what to do about it."""

    id: str
    code: RefusalCode
    why: str


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What becomes of the candidates; those that are `waiting` need nothing: they are under way already."""

    turns: Sequence[Turn] = field(default_factory=list)
    waiting: Sequence[str] = field(default_factory=list)
    refusals: Sequence[Refusal] = field(default_factory=list)


def plan_replay(
    candidates: Sequence[Candidate],
    now: datetime,
    *,
    per_second: float,
    last: datetime | None = None,
    expires_at: datetime | None = None,
) -> ReplayPlan:
    """Turns in the order of the candidates, at most `per_second` of them a second, after the `last` of replays that still wait.

    `expires_at` is the candidates' new expiry; None leaves each its own.
    """
    step = timedelta(microseconds=ceil(1_000_000 / per_second))
    at = now if last is None else max(now, last + step)
    turns, waiting, refusals = [], [], []
    for each in candidates:
        if not each.status.final:
            waiting.append(each.id)
        elif (refusal := _refusal(each, now, at, expires_at or each.expires_at)) is not None:
            refusals.append(refusal)
        else:
            turns.append(Turn(each.id, at))
            at += step
    return ReplayPlan(turns, waiting, refusals)


def _refusal(candidate: Candidate, now: datetime, at: datetime, expires: datetime | None) -> Refusal | None:
    if not candidate.status.dead:
        return Refusal(candidate.id, "not_dead", f"it is {candidate.status}: only dead letters are sent anew")
    if candidate.erased:
        return Refusal(candidate.id, "erased", "what it said was erased, so there is nothing to send")
    if expires is None or expires > at:
        return None
    if expires <= now:
        told = f"it expired on {expires:%Y-%m-%d %H:%M} UTC; give expires_at anew"
    else:
        told = "its turn would come after its expiry; give expires_at anew, or more per_second"
    return Refusal(candidate.id, "expired", told)
