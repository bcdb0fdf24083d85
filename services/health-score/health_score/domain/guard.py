"""The fleet guard: is a source silent because customers are, or because it is broken?

One customer may fall silent, and that is what scores are for. But a fleet does not: where a type of facts that many accounts
send stops for all of them at once, for longer than it ever did, the pipe is broken, and time must not count against anybody.
"""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["silence", "sound"]


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """When silence is not believed: a type that at least `accounts` accounts sent on its last day, known for `known_s` seconds
    (so that a weekend was among them), is missing for longer than `least_s` and `factor` times its longest pause of late."""

    accounts: int
    known_s: float
    least_s: float
    factor: float


@dataclass(frozen=True, slots=True)
class Source:
    """One type of facts over the whole fleet. Times in epoch seconds; `accounts` that sent it on its last day."""

    type: str
    first_at: float
    last_at: float
    accounts: int
    longest_pause_s: float


def judge(
    source: Source, silent_since: float | None, watched_since: float, now: float, policy: GuardPolicy
) -> Verdict | None:
    """What to announce of the source; None: all is as it was. Before `watched_since` nobody watched, so nothing was missed."""
    if silent_since is not None:
        return "sound" if source.last_at > silent_since else None
    if source.accounts < policy.accounts or source.last_at - source.first_at < policy.known_s:
        return None
    missing_s = now - max(source.last_at, watched_since)
    return "silence" if missing_s > max(policy.least_s, policy.factor * source.longest_pause_s) else None
