"""Conditions: what is refused when they are saved, what they say of an account, and when nobody can tell."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import START
from tests.unit.playbooks.builders import a_crossing, a_snapshot

from playbooks.adapters.conditions import compile_condition, condition_mistakes, stored_condition
from playbooks.application.model import Known
from playbooks.domain.entry import Verdict
from playbooks.domain.rules import DefinitionError
from playbooks.domain.run import Outcome, StepResult
from playbooks.domain.scopes import ACCOUNT, Scope

IN_RUN = Scope(frozenset({"tell", "call"}), frozenset({"later"}))
SNAPSHOT = a_snapshot(
    attributes={"plan": "pro", "arr": 120000, "seats": 20.0, "vip": True, "tags": ["eu"], "note": None, "nested": {"a": 1},
                "huge": 2**70},
    values={"days_silent": 9.0, "nps": None},
    thresholds=["at_risk", "goal_at_risk"],
)  # fmt: skip


def a_result(step: str, outcome: Outcome = "requested") -> StepResult:
    return StepResult(run_id="run-1", position=0, step=step, kind="notify", at=START, outcome=outcome)


KNOWN = Known(
    snapshot=SNAPSHOT,
    crossing=a_crossing(),
    results={"tell": a_result("tell"), "call": a_result("call", "opened")},
    tasks={"call": ("done", "reached")},
)


@pytest.mark.parametrize(
    ("expression", "admitted"),
    [
        ("true", True),
        ("account.plan == 'pro' && score < 50.0", True),
        ("score < 50", True),
        ("score >= 60", False),
        ("account.plan in ['free', 'trial']", False),
        ("!has(account.stage) || account.stage != 'churned'", True),
        ("account_id == 'acme' && band == 'at_risk' && coverage > 0.5", True),
        ("dimensions.adoption < 40 && measures.logins >= 20.0", True),
        ("['pro', 'team'].exists(plan, plan == account.plan)", True),
        ("account.arr >= 100000.0 && account.arr >= 100000", True),
        ("account.seats == 20 && account.seats > 19.5", True),
        ("account['arr'] > 5 && 'plan' in account", True),
        ("account.vip && 'eu' in account.tags && account.nested.a == 1", True),
        ("account.note == null && values.nps == null", True),
        ("values.days_silent > 7 && !('critical' in thresholds)", True),
        ("'goal_at_risk' in thresholds && !backfilling", True),
        ("crossing.threshold == 'at_risk' && crossing.direction == 'entered'", True),
        ("crossing.before - crossing.after > 10.0", True),
        ("steps.tell.outcome == 'requested' && steps.tell.path == null", True),
        ("has(steps.call.task) && steps.call.task.outcome == 'reached'", True),
        ("has(steps.tell.task)", False),
        ("size(thresholds) == 2 // two of them", True),
        ("account.plan ==\n'pro'", True),
        ("account.missing == 1 || score < 50", True),
        ("account.huge > 1e20 && account.huge > 5", True),
    ],
)
def test_a_condition_decides(expression: str, admitted: bool) -> None:
    assert compile_condition(expression, IN_RUN)(KNOWN) == Verdict(admitted=admitted)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("account.segment == 'smb'", "the account has no 'segment'"),
        ("values.nope > 1", "values has no 'nope'"),
        ("account.plan > 5", "a text cannot be compared with a whole number by >"),
        ("account.note < 5", "null cannot be compared with a whole number by <"),
        ("account.plan.first == 'p'", "a member is asked of something that has none"),
        ("account.plan", "it gives 'pro', not true or false"),
        ("account.plan + 1 == 2", "+ does not take a text and a whole number"),
        ("account.plan.matches(account.plan + '(')", "invalid regular expression"),
    ],
)
def test_what_cannot_be_decided_tells_why(expression: str, problem: str) -> None:
    verdict = compile_condition(expression, IN_RUN)(KNOWN)
    assert not verdict.admitted
    assert problem in (verdict.problem or "")


def test_a_score_that_is_unknown_cannot_be_compared() -> None:
    unknown = Known(snapshot=a_snapshot(score=None))
    verdict = compile_condition("score < 50", ACCOUNT)(unknown)
    assert verdict == Verdict(admitted=False, problem="null cannot be compared with a whole number by <")
    assert compile_condition("score == null || score < 50", ACCOUNT)(unknown).admitted
    assert compile_condition("score != null && score >= 60", ACCOUNT)(unknown) == Verdict(admitted=False)


def test_a_value_that_the_language_does_not_have_leaves_it_undecided() -> None:
    odd = Known(snapshot=a_snapshot(attributes={"odd": {1}, "deep": {"number": 2**70}, "vast": 10**400}))
    for expression in ("account.odd == 1", "account.deep.number == 1", "account.vast > 1"):
        assert compile_condition(expression, ACCOUNT)(odd).problem


def test_a_step_that_was_not_taken_is_told_by_its_name() -> None:
    known = Known(snapshot=SNAPSHOT, crossing=a_crossing())
    verdict = compile_condition("steps.tell.outcome == 'requested'", IN_RUN)(known)
    assert verdict.problem == "the step 'tell' has not been taken"
    assert not compile_condition("has(steps.tell)", IN_RUN)(known).admitted


@pytest.mark.parametrize(
    ("expression", "character", "sentence"),
    [
        ("account.plan ==", 16, "it ends before it is complete"),
        ("", 1, "it ends before it is complete"),
        ("a b", 3, "it cannot be read: extraneous input 'b'"),
        ("true) || (true", 5, "it cannot be read"),
        ("plan == 'pro'", 1, "there is no variable plan; there are account, account_id, score"),
        ("band == 'é' && scor < 1.0", 16, "there is no variable scor; did you mean score?"),
        ("'x' in threshold", 8, "did you mean thresholds?"),
        ("score > 5 and true", 11, "write &&"),
        ("band = 'x'", 6, "write =="),
        ("score => 5", 7, "write >="),
        ("true && acount.plan.x == 'pro'", 9, "there is no variable acount"),
        ("nonsense(account)", 9, "there is no function nonsense; there are all, "),
        ("true || nonsense(account)", 17, "there is no function nonsense"),
        ("size(thresholds, 1) > 1", 5, "size does not take this number of arguments"),
        ("size(score) == 1", 5, "size does not take a number"),
        ("score", 1, "it gives a number, not true or false"),
        ("'yes'", 1, "it gives a text, not true or false"),
        ("crossing", 1, "it gives the crossing, not true or false"),
        ("score < 5 ? 1 : 2", 1, "it gives a whole number, not true or false"),
        ("score < 'high'", 7, "a number cannot be compared with a text by <"),
        ("score <\n 'high'", 7, "a number cannot be compared with a text by <"),
        ("true ||\nband == 3", 14, "a text cannot be compared with a whole number by =="),
        ("band == 3", 6, "a text cannot be compared with a whole number by =="),
        ("thresholds == 1", 12, "a list cannot be compared with a whole number by =="),
        ("1 in thresholds", 3, "in does not take a whole number and a list"),
        ("score + 1 > 2", 7, "write 1.0 rather than 1 beside numbers that can have a fraction"),
        ("(score < 3) + 1 == 2", 1, "+ does not take true or false and a whole number"),
        ("!score", 1, "! does not take a number"),
        ("score.points > 3", 6, "a number has no members"),
        ("crossing.foo == 'x'", 9, "crossing has no foo; it has threshold, direction, before, after"),
        ("steps.nope.path == 'x'", 6, "there is no step nope; before this come call, tell"),
        ("has(steps.later)", 4, "the step later cannot have been taken before this"),
        ("steps.tell.task.foo == 'x'", 16, "a step's task has no foo; it has status, outcome"),
        ("band.matches('(')", 1, "invalid regular expression"),
        ("account.at < timestamp('x')", None, None),
        ("x" * 4001, 4000, "it has more than 4000 characters"),
    ],
    ids=lambda value: value[:40].replace("\n", " ") if isinstance(value, str) else str(value),
)
def test_a_condition_that_can_never_decide_is_refused_with_its_place(
    expression: str, character: int | None, sentence: str | None
) -> None:
    found = condition_mistakes(expression, IN_RUN)
    if character is None or sentence is None:
        assert found == []
        return
    assert [each.character for each in found][:1] == [character]
    assert sentence in found[0].sentence
    with pytest.raises(DefinitionError, match=f"at character {character}"):
        compile_condition(expression, IN_RUN)


def test_every_mistake_of_a_condition_is_told() -> None:
    found = condition_mistakes("scor < 5 && score < 5 && band == 3 && crossing.x == 1", IN_RUN)
    assert [each.character for each in found] == [1, 31, 47]


@pytest.mark.parametrize("expression", ["crossing.before > 3", "has(steps.tell)"])
def test_audiences_and_goals_know_nothing_of_a_run(expression: str) -> None:
    [mistake] = condition_mistakes(expression, ACCOUNT)
    assert "is known inside a run only, not to audience and goal" in mistake.sentence


@pytest.mark.parametrize("expression", ["score <", "nonsense(account)", "band == 3 && scor > 1"])
def test_what_an_older_build_has_saved_is_asked_without_being_refused(expression: str) -> None:
    verdict = stored_condition(expression)(KNOWN)
    assert not verdict.admitted


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_either_refused_inside_of_it_or_decides(expression: str) -> None:
    found = condition_mistakes(expression, IN_RUN)
    assert all(1 <= each.character <= len(expression) + 1 and each.sentence for each in found)
    if not found:
        assert isinstance(compile_condition(expression, IN_RUN)(KNOWN), Verdict)


_TERMS = st.sampled_from(
    ["score", "band", "account.plan", "account.arr", "coverage", "5", "5.5", "'x'", "null", "true", "thresholds", "values.nps",
     "account", "crossing.before", "steps.tell.path", "account.missing", "size(thresholds)"]
)  # fmt: skip
_OPERATORS = st.sampled_from(["==", "!=", "<", ">=", "+", "-", "in", "&&", "||"])


_EXPRESSIONS = st.recursive(
    _TERMS,
    lambda inner: st.tuples(inner, _OPERATORS, inner).map(lambda told: "({} {} {})".format(*told)),
    max_leaves=5,
)


@settings(deadline=None)
@given(_EXPRESSIONS)
def test_what_is_accepted_never_raises(expression: str) -> None:
    if not condition_mistakes(expression, IN_RUN):
        verdict = compile_condition(expression, IN_RUN)(KNOWN)
        assert verdict.problem is None or not verdict.admitted
