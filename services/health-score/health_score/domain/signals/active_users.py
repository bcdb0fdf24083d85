"""`active_users`: how many different people did something lately, in bounded memory.

Each person counts 2^(-age / half-life) by the latest fact of theirs. Up to `exact_up_to` people are remembered by a 64-bit
hash, and the sum is exact. Of more than that the sample remembers those with the lowest rank E / 2^(-age / half-life), where
E = -ln(u) and u is the hash read as a number from 0 to 1: a bottom-k sample. Given the k-th lowest rank τ, a person of weight w
is among the others with probability 1 - e^(-wτ), so Σ w / (1 - e^(-wτ)) over these is an unbiased estimate with a relative
standard error of at most 1 / √(k - 2): 4.4 % at k = 512. (Cohen & Kaplan, Summarizing data using bottom-k sketches, 2007.)
All ranks fade alike, so their order never changes with time, and the lowest k are the same whatever order the facts arrive in.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from math import exp2, expm1, floor, fsum, log, log2
from typing import Any, ClassVar

from health_score.domain.fact import Fact
from health_score.domain.forms import Fade
from health_score.domain.signals.base import ALWAYS, DAY_S, Span
from health_score.domain.signals.decay import require_half_life
from health_score.domain.signals.selector import Selector

_CERTAIN = 10.0  # e^-1024 is nothing


@dataclass(slots=True)
class ActiveUsersState:
    """By hash of the person log2(E) and the time of their latest fact; `more` once anybody had to be left out."""

    users: dict[int, tuple[float, float]]
    more: bool = False


def hashed(user: str) -> tuple[int, float]:
    """A person's hash, and log2 of the exponential variable E that it stands for."""
    digest = int.from_bytes(blake2b(user.encode(), digest_size=8).digest(), "little")
    return digest, log2(-log((digest + 0.5) / 2.0**64))


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
        user: Any = fact.data.get(self.item)
        if not isinstance(user, str) or not user:
            return state
        if state is None:
            state = ActiveUsersState({})
        digest, draw = hashed(user)
        self._see(state, digest, draw, fact.time)
        return state

    def merge(self, state: ActiveUsersState, other: ActiveUsersState) -> ActiveUsersState:
        """The people of both."""
        for digest, (draw, time) in other.users.items():
            self._see(state, digest, draw, time)
        state.more = state.more or other.more
        return state

    def _see(self, state: ActiveUsersState, digest: int, draw: float, time: float) -> None:
        users = state.users
        known = users.get(digest)
        if known is not None and known[1] >= time:
            return
        users[digest] = (draw, time)
        if len(users) > self.exact_up_to:
            state.more = True
            del users[max(users, key=lambda each: self._rank(users, each))]

    def _rank(self, users: dict[int, tuple[float, float]], digest: int) -> tuple[float, int]:
        """log2 of the rank as of the epoch, and the hash to tell equals apart."""
        draw, time = users[digest]
        return draw - time / self.half_life_s, digest

    def form(self, state: ActiveUsersState) -> Fade:
        """The sum fades; the sample estimates it where it is not the whole."""
        newest = max(time for _, time in state.users.values())
        since = floor(newest / self.half_life_s) * self.half_life_s
        if state.more:
            return Fade(self._estimate(state.users, since), since, self.half_life_s)
        total = fsum([exp2((time - since) / self.half_life_s) for _, time in state.users.values()])
        return Fade(total, since, self.half_life_s)

    def _estimate(self, users: dict[int, tuple[float, float]], since: float) -> float:
        """The sum as of `since` that the sample stands for, in logarithms because ages have no bounds."""
        last = max(users, key=lambda each: self._rank(users, each))
        limit = self._rank(users, last)[0] + since / self.half_life_s  # log2 of τ
        weights = [(time - since) / self.half_life_s for each, (_, time) in users.items() if each != last]
        return fsum([exp2(each) / -expm1(-exp2(min(limit + each, _CERTAIN))) for each in weights])

    def span(self, state: ActiveUsersState) -> Span:
        """For ever."""
        return ALWAYS
