"""Why a step asks for something: the run, its steps so far, the crossing and the facts behind it, told with whatever leaves us.

It travels along, so that whoever is asked for the reasons later needs nobody else, and tells them as they were.
"""

from csm_common.contracts.health import Crossing
from csm_common.contracts.notifications import Chain, ChainCrossing, ChainFact, ChainPart, ChainStep
from playbooks.application.view import Situation
from playbooks.application.wording import entry_told
from playbooks.domain.run import StepResult


def chain_of(situation: Situation, step: str) -> Chain:
    """The reasons for what `step` asks for; `situation` has the results of the steps before it."""
    run, received = situation.run, situation.received
    return Chain(
        run_id=run.id,
        step=step,
        playbook=run.playbook,
        playbook_version=run.version,
        crossing_id=received.id,
        fact_ids=received.crossing.cause.fact_ids,
        playbook_title=situation.playbook.definition.title,
        run_started_at=run.started_at,
        entered=entry_told(received.crossing),
        steps=_steps(situation),
        crossing=_crossing(received.id, received.crossing),
    )


def _steps(situation: Situation) -> list[ChainStep]:
    taken = sorted(situation.results.values(), key=lambda each: each.position)
    return [_step(each) for each in taken if each.position < situation.run.position]


def _step(result: StepResult) -> ChainStep:
    return ChainStep(
        step=result.step, kind=result.kind, outcome=result.outcome, at=result.at, path=result.path
    )


def _crossing(crossing_id: str, crossing: Crossing) -> ChainCrossing:
    return ChainCrossing(
        id=crossing_id,
        threshold=crossing.threshold,
        direction=crossing.direction,
        target=crossing.target,
        level=crossing.level,
        before=crossing.before,
        after=crossing.after,
        occurred_at=crossing.occurred_at,
        cause=crossing.cause.kind,
        band_before=crossing.band_before,
        band_after=crossing.band_after,
        scorecard=crossing.snapshot.scorecard.name,
        scorecard_version=crossing.snapshot.scorecard.version,
        parts=[
            ChainPart(measure=each.measure, before=each.before, after=each.after) for each in crossing.parts
        ],
        facts=[
            ChainFact(id=each.id, type=each.type, occurred_at=each.occurred_at)
            for each in crossing.cause.facts
        ],
    )
