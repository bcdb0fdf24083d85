"""The account that docs/scorecards.md and docs/explanations.md work through, on the shipped card."""

from typing import Any

from tests.unit.health_score.domain.examples import DAY, NOW, account, fact, look_at, model_of

from health_score.application.scorecard_file import default_scorecard
from health_score.application.words import spoken
from health_score.domain.compiled import compile_card
from health_score.domain.explaining import explain
from health_score.domain.explanation import Explanation

CARD = compile_card(default_scorecard())


def worked() -> Explanation:
    """On a Monday at 9:00."""
    used, ticket = "csm.usage.recorded", "csm.ticket.changed"
    goal: dict[str, Any] = {"goal_id": "g1", "baseline": 0, "target": 10, "current": 5, "expected": 10}
    model = model_of(CARD)
    state = account(
        model,
        [
            *[fact(used, NOW - 28 * DAY, id=f"use-{n:02}", feature="report") for n in range(16)],
            *[fact(used, NOW - 14 * DAY, id=f"use-{n}", feature="report") for n in range(16, 48)],
            fact(ticket, NOW - DAY, id="ticket-1", ticket_id="t1", status="open", priority="high"),
            fact("csm.survey.answered", NOW - 60 * DAY, id="answer-1", kind="nps", score=8),
            fact("csm.goal.changed", NOW - DAY, id="goal-1", confirmed_by_customer=True, **goal),
            fact("csm.invoice.changed", NOW - 7 * DAY, id="invoice-1", invoice_id="i1", status="paid"),
        ],
    )
    look_at(model, state)
    return spoken(explain(CARD, state, NOW, {}))
