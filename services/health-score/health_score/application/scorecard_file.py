"""Scorecards as people write them: YAML or JSON in, the immutable domain card out, and every mistake told with its place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from pydantic import ValidationError

from csm_common.errors import InvalidError
from health_score.application.scorecard_checks import misfits
from health_score.application.scorecard_mistakes import refused
from health_score.application.scorecard_parts import ScorecardPart
from health_score.application.scorecard_places import Mistake, PlacedDocument, UnreadableError
from health_score.domain.scorecard import Scorecard

CompileCondition = Callable[[str], object]
"""Compiles the expression of `applies_to`; ValueError where it is none."""


class ScorecardError(InvalidError):
    """A scorecard that cannot work; `mistakes` are all there are, in the order of the text."""

    code = "invalid_scorecard"

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        told = "; ".join(f"{each.line}:{each.column}: {_place(each)}{each.message}" for each in mistakes)
        super().__init__(f"the scorecard cannot be used: {told}", errors=[asdict(each) for each in mistakes])
        self.mistakes = mistakes


def load_scorecard(
    text: str,
    *,
    version: int = 1,
    compile_condition: CompileCondition | None = None,
    json: bool = False,
) -> Scorecard:
    """The scorecard that a text describes; ScorecardError tells each mistake and where it is.

    `version` is given where the text tells none; without `compile_condition` the condition is taken as it is.
    """
    return _read(text, version, compile_condition, json)


def plain_data(text: str, *, json: bool = False) -> dict[str, Any]:
    """The data of a text that is known to be a scorecard."""
    found: dict[str, Any] = PlacedDocument(text, json=json).value
    return found


def default_scorecard() -> Scorecard:
    """The scorecard that is shipped, for whoever has not written one yet."""
    return shipped_scorecard("default")


def shipped_scorecard(name: str) -> Scorecard:
    """One of the scorecards that are shipped."""
    return load_scorecard(
        files("health_score").joinpath(f"scorecards/{name}.yaml").read_text(encoding="utf-8")
    )


def _read(text: str, version: int, compile_condition: CompileCondition | None, json: bool) -> Scorecard:
    try:
        document = PlacedDocument(text, json=json)
    except UnreadableError as unreadable:
        raise ScorecardError(unreadable.mistakes) from unreadable
    card = document.value if isinstance(document.value, Mapping) else {}
    mistakes = [document.mistake(place, sentence) for place, sentence in misfits(card, compile_condition)]
    try:
        part = ScorecardPart.model_validate(document.value)
    except ValidationError as error:
        mistakes += refused(document, error)
    if mistakes:
        raise ScorecardError(sorted(set(mistakes), key=lambda each: (each.line, each.column, each.path)))
    try:
        return part.build(version)
    except ValueError as error:  # what only the whole can tell
        place = ("name",) if str(error).startswith("scorecard ") else ()
        raise ScorecardError([document.mistake(place, str(error))]) from error


def _place(mistake: Mistake) -> str:
    return f"{mistake.path.removeprefix('/').replace('/', '.')}: " if mistake.path else ""
