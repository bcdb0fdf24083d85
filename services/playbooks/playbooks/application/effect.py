"""What a playbook has done: its runs, and the accounts it treated against those it left alone. For readers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from playbooks.application.measured import (
    ArmMeasured,
    Effects,
    Measured,
    Money,
    PathTally,
    RunCounts,
    Version,
    Wanted,
    asked_versions,
)
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
from playbooks.domain.recovery import Recovery, recovery_of


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
    """What a playbook has done with the accounts that entered from `since` to before `until`, as known at `at`: now, or by when
    all snapshots were read that had been told, where the engine is behind.

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


async def effect_of(effects: Effects, wanted: Wanted, detect: float, now: datetime) -> Effect:
    """The answer; `detect` (0…1) is the smallest difference worth seeing. NotFoundError for an unknown playbook or version."""
    versions = asked_versions(await effects.versions(wanted.playbook), wanted)
    share = next((each.definition.holdout.share for each in versions if each.definition.holdout), None)
    planned = plan(detect, share if share is not None else 0.5)
    # A window is not over before all was read that was told in it: the verdict would stand on goals that are still to come.
    at = min(now, await effects.read_until() or now)
    found = await effects.measure(wanted, planned, at)
    return Effect(
        playbook=wanted.playbook,
        version=wanted.version,
        since=wanted.since,
        until=wanted.until,
        at=at,
        verdict=_verdict(versions, found, planned if share is not None else None, detect),
        runs=found.runs,
        treated=_arm(found.treated),
        held_out=_arm(found.held_out),
        uplift=uplift_of(*(Share(each.reached, each.matured) for each in _tallies(found))),
        experiments=_experiments(found.paths),
        cautions=_cautions(versions, found),
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
