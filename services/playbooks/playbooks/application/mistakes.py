"""What is wrong with a playbook somebody wrote, where, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from csm_common.errors import InvalidError


@dataclass(frozen=True, slots=True)
class Mistake:
    """`line` and `column` count from 1; `member` is the path to it, such as `steps.0.wait`, or `playbook` for the whole."""

    line: int
    column: int
    member: str
    message: str

    def told(self, source: str) -> str:
        """In one line that editors can follow."""
        return f"{source}:{self.line}:{self.column}: {self.member}: {self.message}"


class MistakenError(InvalidError):
    """A playbook that cannot be used, with all that is wrong with it in the order of the document."""

    def __init__(self, mistakes: Sequence[Mistake], source: str = "playbook") -> None:
        told = "\n".join(each.told(source) for each in mistakes)
        errors = [
            {"line": each.line, "column": each.column, "member": each.member, "message": each.message}
            for each in mistakes
        ]
        super().__init__(told, code="invalid_playbook", errors=errors)
        self.mistakes = tuple(mistakes)
