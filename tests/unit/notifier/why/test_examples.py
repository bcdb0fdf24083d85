"""What the description of the interface shows is what the routes answer."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from notifier.application.dead_letters import DeadLetterDetail, Replayed
from notifier.domain.why import Why
from notifier.entrypoints import dead_letters_examples as dead
from notifier.entrypoints.dead_letters_api import DeadLetterCounts, DeadLetterPage
from notifier.entrypoints.why_example import EXAMPLE


@pytest.mark.parametrize(
    ("shape", "example"),
    [
        (Why, EXAMPLE),
        (DeadLetterPage, dead.PAGE),
        (DeadLetterCounts, dead.COUNTS),
        (DeadLetterDetail, dead.DETAIL),
        (Replayed, dead.REPLAYED),
    ],
    ids=["why", "page", "counts", "detail", "replayed"],
)
def test_an_example_has_every_member_and_no_other(shape: Any, example: dict[str, Any]) -> None:
    adapter = TypeAdapter(shape)
    assert adapter.dump_python(adapter.validate_python(example), mode="json") == example
