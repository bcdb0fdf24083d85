"""The chain over three services, each by its own code: a message is explained by the very facts that a customer caused."""

from dataclasses import replace
from datetime import timedelta

import msgspec
from tests.support.clock import START
from tests.support.health_score import EPOCH, escalation, record
from tests.unit.health_score.application.owner import Owner, commit
from tests.unit.notifier.why.chains import KIM, a_message
from tests.unit.playbooks.builders import NOTIFY, WAIT, a_definition, a_run, received

from csm_common.contracts.envelope import RawEnvelope
from csm_common.contracts.health import Crossing
from csm_common.contracts.notifications import NotificationRequest
from notifier.domain.reasons import Fact, Reasons
from notifier.domain.why import explain
from notifier.domain.why_words import with_words
from playbooks.adapters.definitions import playbook_of
from playbooks.application.messages import notification_message
from playbooks.application.view import Situation
from playbooks.domain.interpreter import RequestNotification
from playbooks.domain.run import StepResult


async def crossed() -> tuple[str, Crossing]:
    """Three escalations, and what health-score tells of them: the crossing's id, and the crossing."""
    owner = Owner()
    tickets = [
        escalation(f"zd-{n}", "acme", f"t{n}", time=EPOCH + timedelta(minutes=n, microseconds=123_457))
        for n in range(3)
    ]
    await commit(await owner.start(), *(record(n, each) for n, each in enumerate(tickets)))
    value = next(each.value for each in owner.outbox.messages if each.topic == "health.crossings.v1")
    told = msgspec.json.decode(value or b"", type=RawEnvelope)
    return told.id, msgspec.json.decode(told.data, type=Crossing)


def asked(crossing_id: str, crossing: Crossing) -> NotificationRequest:
    """What playbooks ask the notifier for, after a wait."""
    assert NOTIFY.notify is not None
    waited = StepResult(run_id="run-1", position=0, step="wait", kind="wait", at=START, outcome="waited")
    situation = Situation(
        run=replace(a_run(), position=1, step="tell"),
        playbook=playbook_of(1, a_definition(steps=(WAIT, NOTIFY))),
        received=received(crossing_id, crossing),
        snapshot=crossing.snapshot,
        results={"wait": waited},
    )
    expires_at = START + timedelta(days=3)
    effect = RequestNotification(step="tell", notify=NOTIFY.notify, requested_at=START, expires_at=expires_at)
    value = notification_message(situation, effect).value
    told = msgspec.json.decode(value or b"", type=RawEnvelope)
    return msgspec.json.decode(told.data, type=NotificationRequest)


async def test_the_facts_behind_a_message_are_those_that_were_sent() -> None:
    crossing_id, crossing = await crossed()
    request = asked(crossing_id, crossing)
    kept = msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(request.chain)))
    why = with_words(explain(a_message(), KIM, [], msgspec.convert(kept, Reasons)))
    assert why.facts == [
        Fact(
            id=f"zd-{n}",
            type="csm.ticket.changed",
            occurred_at=EPOCH + timedelta(minutes=n, microseconds=123_457),
        )
        for n in range(3)
    ]
    assert why.crossing is not None
    assert (why.crossing.id, why.crossing.after) == (crossing_id, crossing.snapshot.score)
    assert [each.measure for each in why.measures] == [each.measure for each in crossing.parts]
    assert "Before that it had taken wait (waited)." in why.words
    assert why.words[-1].startswith("It came of csm.ticket.changed of 1 January 2026, 00:00 UTC (zd-0), ")
