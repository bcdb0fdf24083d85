"""Every account rebuilt from the log and compared with what is kept: the proof that states are nothing but folded facts.

What is compared is the facts' part of a state: attributes, signals, trails, override and counts. What evaluations add (where
thresholds stand, revisions, history) depends on when they were made and stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import isfinite
from typing import Any, Protocol

from health_score.application.past import Pasts, Share
from health_score.domain.account import AccountState
from health_score.domain.model import Model

Digests = tuple[bytes, bytes]
"""Two hashes of a state whose numbers are rounded on two different grids. Sums that were added up in another order differ in
their last bits, which one rounding can make visible, but not both."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a partition at one instant: its consumer's position, the model that judges it, the accounts' digests."""

    position: int
    model: Model
    digests: Mapping[str, Digests]


@dataclass(slots=True)
class Comparison:
    """One partition: accounts whose rebuilt state equals the kept one, and by name those that differ, lack or are too many."""

    partition: int
    position: int
    facts: int = 0
    equal: int = 0
    differing: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether every account is as the log says."""
        return not (self.differing or self.missing or self.unknown)


class KeptStates(Protocol):
    """What is kept of the partitions."""

    async def partitions(self) -> list[int]:
        """Those that have a position."""
        ...

    async def read(self, partition: int) -> Kept:
        """Position, model and digests as of one instant; ConflictError while a model is still being taken up."""
        ...

    async def write(self, partition: int, position: int, states: Sequence[AccountState]) -> None:
        """Put rebuilt states in the place of the kept ones; ConflictError where the position has moved on meanwhile."""
        ...


async def rebuild(kept_states: KeptStates, pasts: Pasts, partition: int, *, write: bool) -> Comparison:
    """Rebuild one partition and compare; with `write`, states that differ or lack are replaced by what the log says."""
    kept = await kept_states.read(partition)
    comparison = Comparison(partition, kept.position)
    for share in pasts.shares(len(kept.digests)):
        wrong = await _wrong(comparison, kept, pasts, share)
        if write and wrong:
            await kept_states.write(partition, kept.position, wrong)
    return comparison


async def _wrong(comparison: Comparison, kept: Kept, pasts: Pasts, share: Share) -> list[AccountState]:
    """Add a share to the comparison; the states in it that are not kept as the log says."""
    past = await pasts.read(kept.model, comparison.partition, kept.position, share)
    comparison.facts += past.facts
    states = {account: each for account, each in past.states.items() if each.folded}
    mine = {account: each for account, each in kept.digests.items() if share.has(account)}
    return [states[account] for account in _compare(comparison, states, mine)]


def _compare(
    comparison: Comparison, states: Mapping[str, AccountState], kept: Mapping[str, Digests]
) -> list[str]:
    """Add to the comparison; the accounts that the log knows otherwise than they are kept."""
    lacking = [account for account in states if account not in kept]
    differing = [
        account
        for account, each in states.items()
        if account in kept and not any(a == b for a, b in zip(digests(each), kept[account], strict=True))
    ]
    comparison.missing += lacking
    comparison.differing += differing
    comparison.unknown += [account for account in kept if account not in states]
    comparison.equal += len(states) - len(lacking) - len(differing)
    return lacking + differing


def digests(state: AccountState) -> Digests:
    """The two hashes of the facts' part of a state."""
    told = (
        state.attributes,
        state.attribute_stamps,
        state.signals,
        state.trails,
        state.override,
        state.folded,
        state.last_event_time,
    )
    return _digest(told, 1.0), _digest(told, 1.0 + 3e-10)


def _digest(value: Any, grid: float) -> bytes:
    return blake2b(_written(value, grid).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _written(value: Any, grid: float) -> str:
    """A text that is the same for the same content, numbers to nine digits."""
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, (int, float)):
        return f"{value * grid:.9e}" if isfinite(value) and abs(value) < 2**53 else repr(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{key!r}:{_written(each, grid)}" for key, each in value.items())) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_written(each, grid) for each in value) + "]"
    if hasattr(value, "__dataclass_fields__"):
        return _written([getattr(value, name) for name in value.__dataclass_fields__], grid)
    return repr(value)
