"""Audiences: who is in, who is not, and when nobody can tell."""

import pytest
from tests.unit.playbooks.builders import a_snapshot

from playbooks.adapters.audience import compile_audience
from playbooks.domain.entry import Verdict
from playbooks.domain.rules import DefinitionError


@pytest.mark.parametrize(
    ("expression", "admitted"),
    [
        ("true", True),
        ("false", False),
        ("account.plan == 'pro' && score < 50.0", True),
        ("account.plan in ['free', 'trial']", False),
        ("!has(account.stage) || account.stage != 'churned'", True),
        ("account_id == 'acme' && band == 'at_risk' && coverage > 0.5", True),
        ("dimensions.adoption < 40.0 && measures.logins >= 20.0", True),
        ("['pro', 'team'].exists(plan, plan == account.plan)", True),
    ],
)
def test_an_audience_decides(expression: str, admitted: bool) -> None:
    assert compile_audience(expression)(a_snapshot()) == Verdict(admitted=admitted)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("account.segment == 'smb'", "the account has no 'segment'"),
        ("account.plan > 5", "No such overload"),
        ("account.plan", "it gives 'pro', not true or false"),
    ],
)
def test_what_cannot_be_decided_tells_why(expression: str, problem: str) -> None:
    verdict = compile_audience(expression)(a_snapshot())
    assert not verdict.admitted
    assert problem in (verdict.problem or "")


def test_a_score_that_is_unknown_cannot_be_compared() -> None:
    verdict = compile_audience("score < 50.0")(a_snapshot(score=None))
    assert verdict.problem is not None
    assert compile_audience("score == null || score < 50.0")(a_snapshot(score=None)).admitted


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "Failed to parse"),
        ("account.plan ==", "Failed to parse"),
        ("plan == 'pro'", "there is no variable plan; there are account, account_id, score"),
        ("nonsense(account)", "Undefined variable or function"),
        ("score", "it gives 50.0, not true or false"),
        ("score < 'high'", "No such overload"),
    ],
)
def test_an_audience_that_can_never_decide_is_refused(expression: str, sentence: str) -> None:
    with pytest.raises(DefinitionError, match=sentence.replace("(", r"\(")) as refused:
        compile_audience(expression)
    assert refused.value.place == ("audience",)
