"""What a run can know of its account, as a test says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playbooks.domain.entry import Verdict
from playbooks.domain.interpreter import Answer


@dataclass(slots=True)
class ToldView:
    """Implements interpreter.View. A condition holds where it is in `true`, is undecided where it is in `undecided`."""

    true: set[str] = field(default_factory=set)
    undecided: Mapping[str, str] = field(default_factory=dict)
    hold: str | None = None
    answers: dict[str, Answer] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 7

    def ask(self, condition: str) -> Verdict:
        """What the test says of it."""
        return Verdict(admitted=condition in self.true, problem=self.undecided.get(condition))

    def holding(self) -> str | None:
        """Why nothing is to be sold."""
        return self.hold

    def answer(self, step: str) -> Answer | None:
        """What was said to the question of a step."""
        return self.answers.get(step)
