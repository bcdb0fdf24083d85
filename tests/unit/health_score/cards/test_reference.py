"""What the reference shows can be used as it stands, and it leaves out no setting."""

import re
from pathlib import Path

import pytest

from health_score.adapters.conditions import compile_condition
from health_score.application.scorecard_file import load_scorecard
from health_score.application.scorecard_schema import scorecard_schema

REFERENCE = (Path(__file__).parents[4] / "docs/scorecards.md").read_text(encoding="utf-8")


def test_the_card_it_begins_with_is_valid() -> None:
    [first, *_] = re.findall(r"```yaml\n(.*?)```", REFERENCE, flags=re.DOTALL)
    card = load_scorecard(first, compile_condition=compile_condition)
    assert (card.name, card.version, card.priority) == ("default", 2, 10)


@pytest.mark.parametrize("part", sorted(scorecard_schema()["$defs"]))
def test_every_setting_is_told(part: str) -> None:
    settings = scorecard_schema()["$defs"][part]["properties"]
    assert not [each for each in settings if not re.search(rf"\b{each}\b", REFERENCE)]
