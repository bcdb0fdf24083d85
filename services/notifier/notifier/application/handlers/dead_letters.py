"""Send dead letters anew once what they died of is mended: the same messages under the same ids, slowly."""

from collections.abc import Collection, Sequence
from datetime import datetime

from csm_common.errors import InvalidError
from csm_common.telemetry.logs import get_logger
from notifier.application.dead_letters import DeadLetters, Replay, Replayed, Wanted
from notifier.domain.replaying import Candidate, Refusal, ReplayPlan, plan_replay

log = get_logger(__name__)


async def replay(dead: DeadLetters, wanted: Wanted, how: Replay, now: datetime) -> Replayed:
    """Give each its turn. What is under way already stays as it is, so that asking twice does nothing more.

    The contact policy decides again when they go. InvalidError where the new expiry is past.
    """
    if how.expires_at is not None and how.expires_at <= now:
        raise InvalidError("expires_at is past: give an instant to come, or leave it out.")
    found = await dead.find(wanted.filter, wanted.limit + 1) if wanted.ids is None else wanted.ids
    ids = list(dict.fromkeys(found))[: wanted.limit]
    known = {each.id: each for each in await dead.lock(ids)}
    plan = plan_replay(
        [known[each] for each in ids if each in known],
        now,
        per_second=how.per_second,
        last=await dead.last_turn(now),
        expires_at=how.expires_at,
    )
    await dead.revive(plan.turns, how, now)
    report = _report(plan, ids, known.values(), more=len(found) > len(ids) and wanted.ids is None)
    log.info(
        "dead letters replayed",
        actor=how.actor,
        note=how.note,
        replayed=report.replayed,
        waiting=report.waiting,
        refused=len(report.refused),
        per_second=how.per_second,
    )
    return report


def _report(plan: ReplayPlan, ids: Sequence[str], known: Collection[Candidate], *, more: bool) -> Replayed:
    there = {each.id for each in known}
    unknown = [
        Refusal(each, "unknown_id", "there is no such notification") for each in ids if each not in there
    ]
    turns = plan.turns
    return Replayed(
        replayed=len(turns),
        waiting=len(plan.waiting),
        refused=[*unknown, *plan.refusals],
        first_at=turns[0].at if turns else None,
        last_at=turns[-1].at if turns else None,
        more=more,
    )
