"""Audiences in CEL over an account's snapshot: compiled and tried once when a playbook is read, evaluated at every trigger."""

import re
from datetime import UTC, datetime
from typing import Any

import cel

from csm_common.contracts.health import AccountSnapshot, Scorecard
from playbooks.application.model import Audience
from playbooks.domain.entry import Verdict
from playbooks.domain.rules import DefinitionError

VARIABLES = ("account", "account_id", "score", "band", "coverage", "dimensions", "measures")
"""`account` are the attributes; dimensions and measures map names to points."""

_BOUND_BY_MACRO = re.compile(r"\.(?:all|exists|exists_one|map|filter)\(\s*(\w+)")

_SAMPLE = AccountSnapshot(
    account_id="sample",
    revision=1,
    evaluated_at=datetime(2026, 1, 1, tzinfo=UTC),
    score=50.0,
    band="sample",
    coverage=1.0,
    scorecard=Scorecard(name="sample", version=1),
    dimensions={},
    measures={},
)


def compile_audience(expression: str) -> Audience:
    """The audience of a CEL expression; DefinitionError (at `audience`) where it can never give true or false."""
    try:
        program = cel.compile(expression)
    except ValueError as refused:
        raise DefinitionError(_one_line(refused), "audience") from refused
    bound = _BOUND_BY_MACRO.findall(expression)
    if unknown := [name for name in program.variables() if name not in (*VARIABLES, *bound)]:
        raise DefinitionError(
            f"there is no variable {unknown[0]}; there are {', '.join(VARIABLES)}", "audience"
        )
    try:
        _evaluate(program, _SAMPLE)
    except KeyError:
        pass  # the sample has no attributes
    except Exception as refused:
        raise DefinitionError(_one_line(refused), "audience") from refused

    def audience(snapshot: AccountSnapshot) -> Verdict:
        try:
            return Verdict(admitted=_evaluate(program, snapshot))
        except KeyError as missing:
            return Verdict(admitted=False, problem=f"the account has no {missing.args[0]!r}")
        except Exception as error:
            return Verdict(admitted=False, problem=_one_line(error))

    return audience


def _evaluate(program: cel.Program, snapshot: AccountSnapshot) -> bool:
    answer = program.execute(_facts(snapshot))
    if not isinstance(answer, bool):
        raise TypeError(f"it gives {answer!r}, not true or false")
    return answer


def _facts(snapshot: AccountSnapshot) -> dict[str, Any]:
    return {
        "account": snapshot.attributes,
        "account_id": snapshot.account_id,
        "score": snapshot.score,
        "band": snapshot.band,
        "coverage": snapshot.coverage,
        "dimensions": snapshot.dimensions,
        "measures": snapshot.measures,
    }


def _one_line(error: Exception) -> str:
    """The library points at the place with further lines, which a log line or a table cell has no room for."""
    return str(error).splitlines()[0].rstrip(".")
