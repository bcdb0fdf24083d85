"""What a playbook has done: its runs, and the accounts it treated against those it left alone. For readers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from csm_common.errors import NotFoundError
from playbooks.domain.definition import Definition
from playbooks.domain.effect import (
    ArmRate,
    Arms,
    Tally,
    Uplift,
    Verdict,
    judge,
    no_goal,
    no_holdout,
    plan,
    rate_of,
    uplift_of,
)
from playbooks.domain.proportions import Interval, Share, wilson
from playbooks.domain.recovery import Observed, Recovery, recovery_of

_NOTHING = Tally()

ExitKind = Literal["crossing", "condition", "late", "superseded", "held_back", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Entries of a playbook, of one version or all, from `since` to before `until`; None is any."""

    playbook: str
    version: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version, and whether it is the one that starts runs."""

    version: int
    active: bool
    definition: Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """Runs by what has become of them; `held_out` counts the entries that had none."""

    started: int = 0
    active: int = 0
    completed: int = 0
    exited: Mapping[ExitKind, int] = field(default_factory=dict)
    failed: int = 0
    cancelled: int = 0
    held_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Yearly revenue (`arr`) at the entry, of `accounts` that tell it: of all that `entered`, and `at_stake`, of those that have
    neither recovered nor reached the goal. `currency` is None where the account names none."""

    currency: str | None
    accounts: int
    entered: float
    at_stake: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PathTally:
    """The treated accounts that a split sent one way, each by its first entry."""

    step: str
    path: str
    entered: int
    matured: int
    reached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmMeasured:
    """One arm as it is stored."""

    tally: Tally = _NOTHING
    observed: Sequence[Observed] = ()
    revenue: Sequence[Money] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that is counted for an answer, of one moment; `in_both_arms` are accounts that were treated once and held out once."""

    runs: RunCounts
    treated: ArmMeasured
    held_out: ArmMeasured
    in_both_arms: int = 0
    paths: Sequence[PathTally] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ByArm:
    """An arm in full."""

    goal: ArmRate
    recovery: Recovery
    revenue: Sequence[Money]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRate:
    """A way of a split: `rate` is `goal_reached` of `matured`, with its Wilson interval."""

    path: str
    entered: int
    matured: int
    goal_reached: int
    rate: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A split and its ways, in the order of the program."""

    step: str
    paths: Sequence[PathRate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a playbook has done with the accounts that entered from `since` to before `until`, as known at `at`.

    Each account counts once an arm, by its first entry: further entries of it tell nothing new. `uplift` is over all that
    matured, the verdict on the planned sample alone. `cautions` tell what may mislead here.
    """

    playbook: str
    version: int | None
    since: datetime | None
    until: datetime | None
    at: datetime
    verdict: Verdict
    runs: RunCounts
    treated: ByArm
    held_out: ByArm
    uplift: Uplift | None
    experiments: Sequence[Experiment]
    cautions: Sequence[str]


class Effects(Protocol):
    """Where it is counted. TransientError while the database is away."""

    async def versions(self, playbook: str) -> Sequence[Version]:
        """All versions, the newest first; none where nobody knows the playbook."""
        ...

    async def measure(self, wanted: Wanted, planned: Arms, now: datetime) -> Measured:
        """Everything counted at one moment. `planned` is the sample of which the first that matured are counted by themselves."""
        ...


async def effect_of(effects: Effects, wanted: Wanted, detect: float, now: datetime) -> Effect:
    """The answer; `detect` (0…1) is the smallest difference worth seeing. NotFoundError for an unknown playbook or version."""
    versions = asked_versions(await effects.versions(wanted.playbook), wanted)
    share = next((each.definition.holdout.share for each in versions if each.definition.holdout), None)
    planned = plan(detect, share if share is not None else 0.5)
    found = await effects.measure(wanted, planned, now)
    return Effect(
        playbook=wanted.playbook,
        version=wanted.version,
        since=wanted.since,
        until=wanted.until,
        at=now,
        verdict=_verdict(versions, found, planned if share is not None else None, detect),
        runs=found.runs,
        treated=_arm(found.treated),
        held_out=_arm(found.held_out),
        uplift=uplift_of(*(Share(each.reached, each.matured) for each in _tallies(found))),
        experiments=_experiments(found.paths),
        cautions=_cautions(versions, found),
    )


def asked_versions(versions: Sequence[Version], wanted: Wanted) -> list[Version]:
    """Those that are asked for, the active one first; NotFoundError where there are none."""
    if not versions:
        raise NotFoundError(f"There is no playbook {wanted.playbook!r}; GET /v1/playbooks lists them.")
    found = [each for each in versions if wanted.version in (None, each.version)]
    if not found:
        known = ", ".join(str(each.version) for each in versions[:10])
        raise NotFoundError(
            f"The playbook {wanted.playbook} has no version {wanted.version}; it has {known}."
        )
    return sorted(found, key=lambda each: not each.active)


def exit_kind(reason: str, by_crossing: bool) -> ExitKind:
    """What ended a run early, by how the reason begins that the engine writes down."""
    for kind, begins in _EXITS:
        if reason.startswith(begins):
            return kind
    return "crossing" if by_crossing else "other"


_EXITS: Sequence[tuple[ExitKind, str]] = (
    ("superseded", "superseded by"),
    ("condition", "exit_when:"),
    ("late", "its wait ended"),
    ("held_back", "held back for"),
)


def _verdict(versions: Sequence[Version], found: Measured, planned: Arms | None, detect: float) -> Verdict:
    if all(each.definition.goal is None for each in versions):
        return no_goal(detect)
    if planned is None:
        return no_holdout(detect)
    return judge(*_tallies(found), planned, detect)


def _tallies(found: Measured) -> tuple[Tally, Tally]:
    return found.treated.tally, found.held_out.tally


def _arm(measured: ArmMeasured) -> ByArm:
    return ByArm(
        goal=rate_of(measured.tally), recovery=recovery_of(measured.observed), revenue=measured.revenue
    )


def _experiments(paths: Sequence[PathTally]) -> list[Experiment]:
    steps = dict.fromkeys(each.step for each in paths)
    return [
        Experiment(step=step, paths=[_path(each) for each in paths if each.step == step]) for step in steps
    ]


def _path(tally: PathTally) -> PathRate:
    share = Share(tally.reached, tally.matured)
    return PathRate(
        path=tally.path,
        entered=tally.entered,
        matured=tally.matured,
        goal_reached=tally.reached,
        rate=share.value if share.of else None,
        interval=wilson(share) if share.of else None,
    )


def _cautions(versions: Sequence[Version], found: Measured) -> list[str]:
    told = []
    if found.in_both_arms:
        told.append(
            f"{found.in_both_arms:,} accounts were treated once and held out once, since the holdout changed; they count in both"
            " arms. Ask for one version, or for the time since the change."
        )
    if len({each.definition.goal for each in versions}) > 1:
        numbers = ", ".join(str(each) for each in sorted(each.version for each in versions))
        told.append(
            f"Versions {numbers} have different goals, and are counted together. Ask for one version."
        )
    return told
