"""What is wrong with a template somebody wrote, where, and what to do."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from csm_common.errors import InvalidError


@dataclass(frozen=True, slots=True)
class Mistake:
    """`line` and `column` count from 1; `member` is the path to it, such as `locales.de.steps.0`, or `template` for the whole."""

    line: int
    column: int
    member: str
    message: str

    def told(self, source: str) -> str:
        """In one line that editors can follow."""
        return f"{source}:{self.line}:{self.column}: {self.member}: {self.message}"

    def place(self) -> tuple[int, int, str]:
        """What they are sorted by."""
        return self.line, self.column, self.message


class MistakenError(InvalidError):
    """A template that cannot be used, with all that is wrong with it in the order of the document."""

    def __init__(self, mistakes: Sequence[Mistake], source: str = "template") -> None:
        told = "\n".join(each.told(source) for each in mistakes)
        super().__init__(told, code="invalid_template", errors=[asdict(each) for each in mistakes])
        self.mistakes = tuple(mistakes)
