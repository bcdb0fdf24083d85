"""Entries watched: what became of the accounts that entered a playbook, whether it treated them or held them out.

Both arms are watched by the same code on the same snapshots and crossings, and go on being watched after a run has ended: an
account that leaves early still counts for the arm it entered (analysis by intention to treat).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from csm_common.contracts.health import AccountSnapshot, Crossing
from playbooks.application.model import Known, Playbook, PlaybookKey
from playbooks.application.ports import Playbooks, Trials
from playbooks.domain.definition import Definition
from playbooks.domain.durations import duration
from playbooks.domain.trial import Arm, Trial, with_goal, with_way_back

_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)
"""A code of ISO 4217."""

_LARGEST = 1e15


def trial_of(
    definition: Definition, version: int, crossing: Crossing, *, arm: Arm, run_id: str, now: datetime
) -> Trial:
    """The entry of the crossing's account into a version at `now`.

    `run_id` is the id of the run, or the id that the run would have had where the account is held out.
    """
    attributes = crossing.snapshot.attributes
    programme = definition.holdout.programme if definition.holdout else None
    return Trial(
        id=run_id,
        playbook=definition.name,
        version=version,
        programme=programme or definition.name,
        account_id=crossing.account_id,
        arm=arm,
        crossed_at=crossing.occurred_at,
        entered_at=now,
        threshold=crossing.threshold,
        direction=crossing.direction,
        window_ends_at=now + duration(definition.goal.within) if definition.goal else None,
        revenue=_revenue(attributes.get("arr")),
        currency=_currency(attributes.get("currency")),
    )


async def follow(
    trials: Trials,
    playbooks: Playbooks,
    snapshots: Mapping[str, AccountSnapshot],
    crossings: Sequence[Crossing],
    now: datetime,
) -> int:
    """Write down what a batch tells of the accounts that are watched; how many trials changed.

    Once a batch, after its crossings were handled and the trials that they began were added:
    `follow(store.trials, store.playbooks, newest, [each.crossing for each in fresh], now)`. `newest` are the newest snapshots by
    account id: those of the batch and, where at hand, those known of accounts with a crossing in it, since the two topics are
    not read in step. `fresh` are the crossings that were not known yet (`Crossings.remember`), in the order of the log.

    One SELECT by account ids over an index of the unfinished; versions (cached) are loaded and one UPDATE is made only where
    there is something to ask or to write. TransientError while the database is away.
    """
    accounts = {*snapshots, *(each.account_id for each in crossings)}
    if not accounts:
        return 0
    # A window that is over by the clock may still be open for a snapshot that was taken before and comes late.
    since = min((each.evaluated_at for each in snapshots.values()), default=now)
    watched = await trials.unfinished(accounts, min(since, now))
    versions = await playbooks.load(_asked(watched, snapshots)) if watched else {}
    back = _by_account(crossings)
    seen = [
        _crossed(_scored(trial, versions, snapshots.get(trial.account_id)), back[trial.account_id])
        for trial in watched
    ]
    changed = [new for old, new in zip(watched, seen, strict=True) if new != old]
    await trials.update(changed)
    return len(changed)


def _asked(trials: Iterable[Trial], snapshots: Mapping[str, AccountSnapshot]) -> set[PlaybookKey]:
    """The versions whose goal is open for an account that there is news of."""
    return {
        (each.playbook, each.version)
        for each in trials
        if each.account_id in snapshots and each.window_ends_at is not None and each.goal_reached_at is None
    }


def _scored(
    trial: Trial, versions: Mapping[PlaybookKey, Playbook], snapshot: AccountSnapshot | None
) -> Trial:
    """A goal that cannot be decided, for an attribute that is missing, is not reached."""
    if snapshot is None or (playbook := versions.get((trial.playbook, trial.version))) is None:
        return trial
    goal = playbook.definition.goal
    reached = with_goal(trial, snapshot.evaluated_at)
    if goal is None or reached == trial:
        return trial
    return reached if playbook.ask(goal.condition, Known(snapshot=snapshot)).admitted else trial


def _crossed(trial: Trial, crossings: Sequence[Crossing]) -> Trial:
    for each in crossings:
        trial = with_way_back(trial, each.threshold, each.direction, each.occurred_at)
    return trial


def _by_account(crossings: Sequence[Crossing]) -> Mapping[str, Sequence[Crossing]]:
    found: dict[str, list[Crossing]] = defaultdict(list)
    for each in crossings:
        found[each.account_id].append(each)
    return found


def _revenue(arr: object) -> float | None:
    """What JSON can hold and a column cannot is no revenue: an integer of 400 digits, or true."""
    is_number = isinstance(arr, int | float) and not isinstance(arr, bool)
    return float(arr) if is_number and abs(arr) < _LARGEST else None  # type: ignore[arg-type]


def _currency(code: object) -> str | None:
    return code.upper() if isinstance(code, str) and _CURRENCY.fullmatch(code) else None
