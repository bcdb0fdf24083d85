"""Who may enter, and the reason why not."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import a_definition, a_run

from playbooks.domain.definition import Entry, Holdout, Limits
from playbooks.domain.draw import draw, fraction
from playbooks.domain.entry import Circumstances, Verdict, held_out, refusal

WEEKLY = a_definition(
    entry=Entry(once_per="7d"),
    audience="account.plan == 'pro'",
    priority=2,
    purpose="rescue",
    limits=Limits(starts_per_hour=3),
)
FINE = Circumstances(
    news=True,
    age=timedelta(),
    overtaken=False,
    paused=None,
    verdict=Verdict(admitted=True),
    active=None,
    last_start=None,
    starts_this_hour=0,
)


def test_a_first_entry_is_admitted() -> None:
    assert refusal(WEEKLY, FINE, START) is None


@pytest.mark.parametrize(
    ("members", "code", "reason"),
    [
        ({"news": False}, "no_news", "not the customer"),
        ({"age": timedelta(days=8)}, "too_old", "It happened 8 days ago"),
        ({"overtaken": True}, "overtaken", "by the newest snapshot it is so no more"),
        ({"paused": "Everything is paused"}, "paused", "Everything is paused"),
        ({"verdict": Verdict(admitted=False)}, "audience", "not in the audience: account.plan == 'pro'"),
        (
            {"verdict": Verdict(admitted=False, problem="the account has no 'plan'")},
            "audience_undecided",
            "could not be decided: the account has no 'plan'.",
        ),
        ({"active": a_run()}, "already_active", "Run run-1 is still active"),
        (
            {"active": a_run(playbook="other", priority=2)},
            "purpose_active",
            "Run run-1 of other serves the same purpose, rescue, with priority 2; this playbook has 2.",
        ),
        (
            {"last_start": START - timedelta(days=6)},
            "once_per",
            "entered at 2026-02-24T09:00:00Z, and may once per 7d",
        ),
        ({"starts_this_hour": 3}, "limit", "3 runs began within an hour, and at most 3 may."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_tells_why(members: dict[str, object], code: str, reason: str) -> None:
    refused = refusal(WEEKLY, replace(FINE, **members), START)  # type: ignore[arg-type]
    assert refused is not None
    assert refused.code == code
    assert reason in refused.reason


def test_a_run_of_a_lower_priority_stands_in_nobody_s_way() -> None:
    lower = a_run(playbook="other", priority=1)
    assert refusal(WEEKLY, replace(FINE, active=lower), START) is None


def test_the_period_is_over_at_its_end() -> None:
    assert refusal(WEEKLY, replace(FINE, last_start=START - timedelta(days=7)), START) is None


def test_without_a_period_an_account_enters_as_often_as_it_triggers() -> None:
    assert refusal(a_definition(), replace(FINE, last_start=START), START) is None


# ---- lots


def test_a_share_of_the_accounts_is_left_alone_always_the_same_ones() -> None:
    accounts = [f"account-{number}" for number in range(2000)]
    tenth = a_definition(holdout=Holdout(share=0.1))
    alone = {each for each in accounts if held_out(tenth, each)}
    assert 140 < len(alone) < 260
    assert alone == {each for each in accounts if held_out(tenth, each)}


def test_playbooks_of_a_programme_leave_the_same_accounts_alone_others_draw_anew() -> None:
    accounts = [f"account-{number}" for number in range(2000)]
    small = a_definition("a", holdout=Holdout(share=0.1, programme="retention"))
    large = a_definition("b", holdout=Holdout(share=0.3, programme="retention"))
    other = a_definition("c", holdout=Holdout(share=0.3))
    alone = {each.name: {a for a in accounts if held_out(each, a)} for each in (small, large, other)}
    assert alone["a"] < alone["b"]
    assert not alone["a"] <= alone["c"]


def test_without_a_holdout_nobody_is_left_alone() -> None:
    assert held_out(a_definition(), "acme") is None


def test_lots_are_drawn_by_weight() -> None:
    names = [f"name-{number}" for number in range(4000)]
    assert all(0 <= fraction(each) < 1 for each in names)
    drawn = [draw(each, [("one", 1.0), ("three", 3.0)]) for each in names]
    assert 900 < drawn.count("one") < 1100
