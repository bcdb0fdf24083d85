"""The values a condition speaks of."""

from typing import Any

import pytest
from tests.unit.playbooks.builders import a_crossing, a_snapshot
from tests.unit.playbooks.contracts.rows import a_result

from playbooks.application.grounds import values_of
from playbooks.application.model import Known

SNAPSHOT = a_snapshot(
    attributes={"plan": "pro", "arr": 5.0, "size": {"seats": 7}},
    values={"silence": 9.0},
    thresholds=["at_risk"],
)
KNOWN = Known(
    snapshot=SNAPSHOT,
    crossing=a_crossing(),
    results={"ask": a_result(step="ask", outcome="approved", path=None)},
    tasks={"ask": ("done", "reached")},
)


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("true", {}),
        ("score != null && score < 50.0", {"score": 42.0}),
        ("account.plan == 'score' || account['arr'] > 1.0", {"account.plan": "pro", "account.arr": 5.0}),
        ('account["plan"].startsWith("p")', {"account.plan": "pro"}),
        ("has(account.stage) && account.stage != 'churned'", {"account.stage": None}),
        (
            "account.size.seats > 3 && account.plan.seats == 1",
            {"account.size.seats": 7, "account.plan.seats": None},
        ),
        ("thresholds.exists(t, t == 'at_risk')", {"thresholds": ["at_risk"]}),
        ("values.silence > 7.0 && measures.logins < 30.0", {"values.silence": 9.0, "measures.logins": 20.0}),
        ("dimensions.adoption < 50.0 && band == 'x'", {"dimensions.adoption": 30.0, "band": "at_risk"}),
        ("crossing.after < crossing.before", {"crossing.after": 42.0, "crossing.before": 57.0}),
        ("steps.ask.outcome == 'approved'", {"steps.ask.outcome": "approved"}),
        ("steps.ask.task.outcome == 'reached'", {"steps.ask.task.outcome": "reached"}),
        ("steps.other.outcome == 'x'", {"steps.other.outcome": None}),
        ("size(account) > 2 && account['odd key'] == 'x'", {}),
        (
            "coverage > 0.5 && !backfilling && account_id != ''",
            {"coverage": 0.8, "backfilling": False, "account_id": "acme"},
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_each_member_is_told_with_its_value(condition: str, values: dict[str, Any]) -> None:
    assert values_of(condition, KNOWN) == values


def test_an_audience_knows_no_crossing() -> None:
    assert values_of("crossing.after < 3.0", Known(snapshot=SNAPSHOT)) == {}
