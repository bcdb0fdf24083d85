"""Scorecards as people write them: YAML in, the immutable domain card out, and every mistake told with its place."""

from importlib.resources import files
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from csm_common.errors import InvalidError
from health_score.application.scorecard_parts import ScorecardPart
from health_score.domain.scorecard import Scorecard


def load_scorecard(text: str) -> Scorecard:
    """The scorecard that a YAML text describes; InvalidError tells each mistake and where it is."""
    try:
        document = yaml.load(text, Loader=_StrictLoader)  # noqa: S506  (a SafeLoader, made stricter)
    except yaml.YAMLError as broken:
        raise InvalidError(f"the scorecard is not readable as YAML: {broken}") from broken
    try:
        return ScorecardPart.model_validate(document).build()
    except ValidationError as refused:
        raise InvalidError(_told(refused)) from refused


def default_scorecard() -> Scorecard:
    """The scorecard that is shipped, for whoever has not written one yet."""
    return load_scorecard(
        files("health_score").joinpath("scorecards/default.yaml").read_text(encoding="utf-8")
    )


def _told(refused: ValidationError) -> str:
    mistakes = refused.errors(include_url=False, include_context=False, include_input=False)
    return "the scorecard cannot be used: " + "; ".join(map(_sentence, mistakes))


def _sentence(mistake: ErrorDetails) -> str:
    place = ".".join(map(str, mistake["loc"])) or "scorecard"
    return f"{place}: {mistake['msg'].removeprefix('Value error, ')}"


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is given twice, where a safe loader would quietly keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            problem = f"{', '.join(twice)} is given more than once"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)
