"""Webhook steps: claimed in one transaction, called with none open, written down in a second one that the claim's fence guards.

A claim counts as a failed attempt until somebody comes back from it, so a worker that dies while calling leaves a failure behind.
Whoever comes back after their lease has run out, and another has claimed the run, is refused. An endpoint may so see a call
twice, under one message id; the run goes on once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from csm_common.clock import Clock
from csm_common.errors import PermanentError, TransientError
from csm_common.telemetry.logs import get_logger
from playbooks.application.effects import carry_out
from playbooks.application.endpoints import Endpoints
from playbooks.application.handlers.steps import Rules, load_playbooks, sentence, stale_since
from playbooks.application.messages import webhook_body, webhook_id
from playbooks.application.model import Audited
from playbooks.application.ports import Store, Transactions
from playbooks.application.view import Situation, situations
from playbooks.domain.interpreter import CallWebhook, advance, call_failed, called, claim
from playbooks.domain.run import Run, note_failure

log = get_logger(__name__)

LEASE = timedelta(seconds=30)
"""Longer than any call may take."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that this worker has claimed."""

    run: Run
    endpoint: str
    message_id: str
    body: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """The calls to make, and the runs that ended or were put off instead."""

    calls: Sequence[Call]
    others: Sequence[Run]


Room = Callable[[str], bool]
"""Takes a place at an endpoint, if there is one."""

NO_ROOM = timedelta(seconds=1)


async def claim_calls(
    transactions: Transactions, now: datetime, rules: Rules, *, limit: int, room: Room = lambda endpoint: True
) -> Claimed:
    """Claim up to `limit` calls that are due, at endpoints with room. Exits come before them as before every step, and no
    more than a step is a call decided on old news. As with steps, what breaks a batch is found by taking its runs one by one."""
    runs: Sequence[Run] = ()
    try:
        async with transactions.begin() as store:
            if await stale_since(store, rules, now) is None:
                runs = await store.runs.take_calls(now, limit)
            return await _claim(store, runs, now, rules, room) if runs else Claimed([], [])
    except TransientError:
        raise
    except Exception:
        if not runs:
            raise
        log.exception("a batch of calls could not be claimed; trying its runs one by one", runs=len(runs))
    alone = [await _claim_alone(transactions, run, now, rules, room) for run in runs]
    return Claimed(
        [call for each in alone for call in each.calls], [run for each in alone for run in each.others]
    )


async def _claim_alone(
    transactions: Transactions, run: Run, now: datetime, rules: Rules, room: Room
) -> Claimed:
    try:
        async with transactions.begin() as store:
            same = [each for each in await store.runs.lock([run.id]) if each == run]
            return await _claim(store, same, now, rules, room)
    except TransientError:
        raise
    except Exception as error:
        async with transactions.begin() as store:
            same = [each for each in await store.runs.lock([run.id]) if each == run]
            noted = [note_failure(each, sentence(error), rules.retry_after_s, now) for each in same]
            await store.runs.update(noted)
        for each in noted:
            log.warning(
                "step failed", run=each.id, status=each.status, failures=each.failures, error=each.error
            )
        return Claimed([], noted)


async def _claim(store: Store, runs: Sequence[Run], now: datetime, rules: Rules, room: Room) -> Claimed:
    playbooks = await load_playbooks(store, runs)
    views = await situations(store, runs, playbooks, rules.hold)
    calls, others, claimed = [], [], []
    for run in runs:
        view = views[run.id]
        made = advance(view.playbook.program, run, view, rules.calendar, now)
        if not isinstance(made.effect, CallWebhook):
            others.append((run, made))
            continue
        out = claim(run, LEASE, rules.retry_after_s, now)
        if out.status == "active":
            if not room(made.effect.webhook.endpoint):
                out = replace(run, due_at=now + NO_ROOM)
            else:
                calls.append(_call(out, view, made.effect))
        claimed.append(out)
    await store.runs.update(claimed)
    others_now = await carry_out(store, others, views, now)
    return Claimed(calls, [*others_now, *(run for run in claimed if run.status != "active")])


def _call(run: Run, view: Situation, effect: CallWebhook) -> Call:
    return Call(
        run=run,
        endpoint=effect.webhook.endpoint,
        message_id=webhook_id(run.id, effect.step),
        body=webhook_body(view, effect),
        revision=view.revision,
    )


async def make_call(
    transactions: Transactions, endpoints: Endpoints, call: Call, clock: Clock, rules: Rules
) -> Run | None:
    """Call, and take the run on by what came back; None where it is another's by now."""
    try:
        status = await endpoints.call(
            call.endpoint, message_id=call.message_id, at=clock.now(), body=call.body
        )
    except Exception as error:
        return await _failed(transactions, call, error, clock.now(), rules)
    return await _succeeded(transactions, call, status, clock.now())


async def _succeeded(transactions: Transactions, call: Call, status: int, now: datetime) -> Run | None:
    async with transactions.begin() as store:
        taken = await store.runs.take_back(call.run.id, call.run.fence)
        if not taken:
            _tell_refused(call)
            return None
        playbooks = await load_playbooks(store, taken)
        made = called(
            playbooks[call.run.playbook, call.run.version].program, taken[0], call.revision, status, now
        )
        await carry_out(store, [(taken[0], made)], {}, now)
        await store.audit.add([_audited(call, status, now)])
        return made.run


async def _failed(
    transactions: Transactions, call: Call, error: Exception, now: datetime, rules: Rules
) -> Run | None:
    final = isinstance(error, PermanentError)
    async with transactions.begin() as store:
        taken = await store.runs.take_back(call.run.id, call.run.fence)
        if not taken:
            _tell_refused(call)
            return None
        noted = call_failed(taken[0], sentence(error), () if final else rules.retry_after_s, now)
        await store.runs.update([noted])
    log.warning(
        "call failed", run=noted.id, endpoint=call.endpoint, failures=noted.failures, error=noted.error
    )
    return noted


def _tell_refused(call: Call) -> None:
    log.warning("a call came back too late, its run has moved on", run=call.run.id, endpoint=call.endpoint)


def _audited(call: Call, status: int, now: datetime) -> Audited:
    run = call.run
    return Audited(
        at=now,
        actor=f"playbook:{run.playbook}/{run.version}",
        action="endpoint_called",
        subject=f"run:{run.id}",
        account_id=run.account_id,
        detail={"step": run.step, "endpoint": call.endpoint, "status": status},
    )
