"""Who may enter, and the reason why not."""

from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import a_definition, a_run

from playbooks.domain.definition import Entry
from playbooks.domain.entry import Verdict, refusal

ADMITTED = Verdict(admitted=True)
WEEKLY = a_definition(entry=Entry(once_per="7d"), audience="account.plan == 'pro'")


def test_a_first_entry_is_admitted() -> None:
    assert refusal(WEEKLY, ADMITTED, None, None, START) is None


@pytest.mark.parametrize(
    ("verdict", "active", "last_start_days_ago", "code", "reason"),
    [
        (Verdict(admitted=False), False, None, "audience", "not in the audience: account.plan == 'pro'"),
        (
            Verdict(admitted=False, problem="the account has no 'plan'"),
            False,
            None,
            "audience_undecided",
            "no 'plan'",
        ),
        (ADMITTED, True, None, "already_active", "Run run-1 is still active"),
        (ADMITTED, False, 6, "once_per", "entered at 2026-02-24T09:00:00Z, and may once per 7d"),
    ],
)
def test_a_refusal_tells_why(
    verdict: Verdict, active: bool, last_start_days_ago: int | None, code: str, reason: str
) -> None:
    last_start = START - timedelta(days=last_start_days_ago) if last_start_days_ago else None
    refused = refusal(WEEKLY, verdict, a_run() if active else None, last_start, START)
    assert refused is not None
    assert refused.code == code
    assert reason in refused.reason


def test_the_period_is_over_at_its_end() -> None:
    assert refusal(WEEKLY, ADMITTED, None, START - timedelta(days=7), START) is None


def test_without_a_period_an_account_enters_as_often_as_it_triggers() -> None:
    assert refusal(a_definition(), ADMITTED, None, START, START) is None
