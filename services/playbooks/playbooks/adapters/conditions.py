"""Conditions in CEL: type-checked and compiled when a playbook is saved, asked at every trigger, branch and look at a run."""

from datetime import UTC, datetime

from cel_expr_python import cel

from csm_common.contracts.health import AccountSnapshot, Cause, Crossing, Scorecard
from playbooks.adapters import condition_words as words
from playbooks.adapters.condition_check import Complaint, complaints
from playbooks.adapters.condition_variables import ACCOUNT_VARIABLES, RUN_VARIABLES, facts_for
from playbooks.application.model import Condition, Known
from playbooks.domain.entry import Verdict
from playbooks.domain.rules import DefinitionError
from playbooks.domain.scopes import Scope

# Any kind at all: a score may be null, and attributes hold what the sources told.
_ENVIRONMENT = cel.NewEnv(variables=dict.fromkeys((*ACCOUNT_VARIABLES, *RUN_VARIABLES), cel.Type.DYN))

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_SNAPSHOT = AccountSnapshot(
    account_id="sample",
    revision=1,
    evaluated_at=_AT,
    score=50.5,
    band="sample",
    coverage=0.5,
    scorecard=Scorecard(name="sample", version=1),
    dimensions={},
    measures={},
    thresholds=["sample"],
)
_SAMPLE = Known(
    snapshot=_SNAPSHOT,
    crossing=Crossing(
        account_id="sample", threshold="sample", direction="entered", target="score", level=50.0, before=60.5, after=40.5,
        band_before="sample", band_after="sample", occurred_at=_AT, cause=Cause(kind="facts"), parts=[], snapshot=_SNAPSHOT,
    ),
)  # fmt: skip
_NEVER = ("No matching overload", "invalid regular expression", "conversion failed")
"""What no account can mend: the sample has no attributes, so that those are never at fault."""


def compile_condition(expression: str, scope: Scope) -> Condition:
    """The condition of a CEL expression; DefinitionError with every mistake and its character where it can never decide."""
    found = condition_mistakes(expression, scope)
    if found:
        raise DefinitionError("; ".join(f"{each.sentence}, at character {each.character}" for each in found))
    return stored_condition(expression)


def condition_mistakes(expression: str, scope: Scope) -> list[Complaint]:
    """All that is wrong with an expression; nothing where it can be true or false."""
    found = complaints(expression, scope)
    if found:
        return found
    problem = _evaluate(_ENVIRONMENT.compile(expression, disable_check=True), facts_for(expression)(_SAMPLE))
    if isinstance(problem, str) and any(each in problem for each in _NEVER):
        return [Complaint(words.undecided(problem, expression), 1)]
    return []


def stored_condition(expression: str) -> Condition:
    """The condition of an expression that was checked when it was saved, by this build or an older one: never refused.

    Where an account lacks what it speaks of, or has it in another kind, the verdict tells so.
    """
    try:
        program = _ENVIRONMENT.compile(expression, disable_check=True)
    except RuntimeError as refused:
        problem = f"this build cannot read the condition: {str(refused).splitlines()[0]}"
        return lambda known: Verdict(admitted=False, problem=problem)
    facts = facts_for(expression)

    def condition(known: Known) -> Verdict:
        answer = _evaluate(program, facts(known))
        if isinstance(answer, bool):
            return Verdict(admitted=answer)
        return Verdict(admitted=False, problem=words.undecided(answer, expression))

    return condition


def _evaluate(program: cel.Expression, facts: dict[str, object]) -> bool | str:
    """True or false, or why neither."""
    try:
        answer = program.eval(data=facts)
    except (
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:  # a value of a kind that the language does not have
        return str(error).splitlines()[0]
    value = answer.value()
    if isinstance(value, bool):
        return value
    if answer.type() == cel.Type.ERROR:
        return str(value)
    return f"it gives {value!r}, not true or false"
