"""`active_users`: how many different people did something lately, in bounded memory.

Each person counts 2^(-age / half-life) by the latest fact of theirs. Up to `exact_up_to` people are remembered by a 64-bit
hash, and the sum is exact. Of more than that the sample remembers those with the lowest rank E / 2^(-age / half-life), where
E = -ln(u) and u is the hash read as a number from 0 to 1: a bottom-k sample. Given the k-th lowest rank τ, a person of weight w
is among the others with probability 1 - e^(-wτ), so Σ w / (1 - e^(-wτ)) over these is an unbiased estimate with a relative
standard error of at most 1 / √(k - 2): 4.4 % at k = 512. (Cohen & Kaplan, Summarizing data using bottom-k sketches, 2007.)
All ranks fade alike, so their order never changes with time, and the lowest k are the same whatever order the facts arrive in.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from math import exp2, expm1, floor, fsum, log, log2
from typing import ClassVar

from health_score.domain.fact import Fact
from health_score.domain.forms import Fade
from health_score.domain.signals.base import ALWAYS, DAY_S, Span
from health_score.domain.signals.decay import require_half_life
from health_score.domain.signals.selector import Selector

_CERTAIN = 10.0  # e^-1024 is nothing


@dataclass(slots=True)
class ActiveUsersState:
    """By hash of the person the time of their latest fact; `last` has the highest rank, once anybody had to be left out."""

    users: dict[int, float]
    last: int | None = None


@lru_cache(65_536)  # a busy person is hashed once
def hashed(user: str) -> int:
    """A person's hash."""
    return int.from_bytes(blake2b(user.encode(), digest_size=8).digest(), "little")


def drawn(digest: int) -> float:
    """log2 of the exponential variable E that a hash stands for."""
    return log2(-log((digest + 0.5) / 2.0**64))


@dataclass(frozen=True, slots=True)
class ActiveUsers:
    """Σ 2^(-age of the latest matching fact / half-life) over the people named in the field `item`."""

    select: Selector
    half_life_days: float
    item: str = "user_id"
    exact_up_to: int = 512
    half_life_s: float = field(init=False, repr=False)

    state_type: ClassVar[type] = ActiveUsersState

    def __post_init__(self) -> None:
        require_half_life(self.half_life_days)
        if self.select.value is not None:
            raise ValueError("active_users counts people by item: value does not apply")
        if not self.item:
            raise ValueError("item must name the field that holds the person's id")
        if not 16 <= self.exact_up_to <= 4096:
            raise ValueError("exact_up_to must be from 16 to 4096")
        object.__setattr__(self, "half_life_s", self.half_life_days * DAY_S)

    def fold(self, state: ActiveUsersState | None, fact: Fact) -> ActiveUsersState | None:
        """Remember the person's latest time."""
        user = fact.data.get(self.item)
        if not isinstance(user, str) or not user:
            return state
        if state is None:
            state = ActiveUsersState({})
        self._see(state, hashed(user), fact.time)
        return state

    def merge(self, state: ActiveUsersState, other: ActiveUsersState) -> ActiveUsersState:
        """The people of both."""
        for digest, time in other.users.items():
            self._see(state, digest, time)
        if state.last is None and other.last is not None:
            state.last = self._last(state.users)
        return state

    def _see(self, state: ActiveUsersState, digest: int, time: float) -> None:
        users = state.users
        known = users.get(digest)
        if known is not None:
            users[digest] = max(known, time)
            if digest == state.last:
                state.last = self._last(users)
        elif len(users) < self.exact_up_to:
            users[digest] = time
        elif state.last is None or self._rank(digest, time) < self._rank(state.last, users[state.last]):
            users[digest] = time
            del users[self._last(users)]
            state.last = self._last(users)

    def _rank(self, digest: int, time: float) -> tuple[float, int]:
        """log2 of the rank as of the epoch, and the hash to tell equals apart."""
        return drawn(digest) - time / self.half_life_s, digest

    def _last(self, users: dict[int, float]) -> int:
        return max(users, key=lambda each: self._rank(each, users[each]))

    def form(self, state: ActiveUsersState) -> Fade:
        """The sum fades; the sample estimates it where it is not the whole."""
        half_life_s = self.half_life_s
        since = floor(max(state.users.values()) / half_life_s) * half_life_s
        if state.last is not None:
            return Fade(self._estimate(state.users, state.last, since), since, half_life_s)
        total = fsum([exp2((time - since) / half_life_s) for time in state.users.values()])
        return Fade(total, since, half_life_s)

    def _estimate(self, users: dict[int, float], last: int, since: float) -> float:
        """The sum as of `since` that the sample stands for, in logarithms because ages have no bounds."""
        limit = self._rank(last, users[last])[0] + since / self.half_life_s  # log2 of τ
        weights = [(time - since) / self.half_life_s for each, time in users.items() if each != last]
        return fsum([exp2(each) / -expm1(-exp2(min(limit + each, _CERTAIN))) for each in weights])

    def span(self, state: ActiveUsersState) -> Span:
        """For ever."""
        return ALWAYS
